/** A handle of a pending timer. */
export interface Timer {
  cancel(): void;
}

/** Time, handed in: tests drive it, programs use the system's. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Monotonic milliseconds of arbitrary origin: for ages and durations. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
  /** Calls `run` each `periodMs` until cancelled. */
  every(periodMs: number, run: () => void): Timer;
}

/** A random number in [0, 1). */
export type Random = () => number;
