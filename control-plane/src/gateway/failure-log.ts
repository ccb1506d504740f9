import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AttemptFailure } from './decide/attempt-failure.js';

/** A target that fails in the same way is told of once in this time. */
const REPEAT_MS = 10_000;
const MAX_KEYS = 512;
const DETAIL_MAX_CHARS = 500;

interface Told {
  atMs: number;
  suppressed: number;
}

/** One line for a failed attempt, with what its upstream said; repeats are counted, not written. */
export class FailureLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  attemptFailed(requestId: string, target: string, failure: AttemptFailure): void {
    const nowMs = this.#clock.monotonicMs();
    const key = `${target}\n${failure.code}`;
    const told = this.#told.get(key);
    if (told !== undefined && nowMs - told.atMs < REPEAT_MS) {
      told.suppressed++;
      return;
    }
    if (this.#told.size >= MAX_KEYS) this.#told.clear();
    this.#told.set(key, { atMs: nowMs, suppressed: 0 });
    this.#log.warn(
      {
        requestId,
        target,
        code: failure.code,
        detail: failure.detail.slice(0, DETAIL_MAX_CHARS),
        suppressed: told?.suppressed ?? 0,
      },
      'an attempt failed',
    );
  }

  /** A defect of ours: the request is answered 500, and this is all that tells why. */
  defect(requestId: string, error: unknown): void {
    this.#log.error({ requestId, err: error }, 'a request met a defect of the gateway');
  }
}
