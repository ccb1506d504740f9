/** SIGBREAK is Windows' Ctrl-Break, SIGHUP a terminal that closes; service managers send SIGTERM. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGBREAK', 'SIGHUP'] as const;
type StopSignal = (typeof STOP_SIGNALS)[number];

/** Node's `process`, as far as it is needed here. */
export interface SignalledProcess {
  on(signal: StopSignal, heard: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, heard: (signal: StopSignal) => void): unknown;
  kill(processId: number, signal: StopSignal): unknown;
  readonly pid: number;
}

/**
 * Whether somebody wants a program to stop that is in the middle of something. The first signal is only noted, for
 * whoever does that something to end it safely; the second one ends the process as the first would have otherwise.
 */
export class Interruption {
  readonly #program: SignalledProcess;
  readonly #onFirst: () => void;
  #isAsked = false;
  #wasHeard = false;

  /** Signals are noted from now on. @param onFirst to tell that it was heard */
  constructor(program: SignalledProcess, onFirst: () => void) {
    this.#program = program;
    this.#onFirst = onFirst;
    for (const signal of STOP_SIGNALS) program.on(signal, this.#hear);
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Whether one was asked for that nobody has taken note of so far: what puts things right then is not interrupted by it. */
  take(): boolean {
    const wasAsked = this.#isAsked;
    this.#isAsked = false;
    return wasAsked;
  }

  /** Signals end the process again. */
  close(): void {
    for (const signal of STOP_SIGNALS) this.#program.off(signal, this.#hear);
  }

  readonly #hear = (signal: StopSignal): void => {
    this.#isAsked = true;
    if (!this.#wasHeard) {
      this.#wasHeard = true;
      this.#onFirst();
      return;
    }
    this.close();
    this.#program.kill(this.#program.pid, signal);
  };
}
