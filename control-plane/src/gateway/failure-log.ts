import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AttemptFailure } from './decide/attempt-failure.js';

/** A target that fails in the same way is told of once in this time. */
const REPEAT_MS = 10_000;
const MAX_KEYS = 512;
const DETAIL_MAX_CHARS = 500;

export interface FailedAttempt {
  readonly target: string;
  readonly failure: AttemptFailure;
}

/** What the line of a request tells of it. */
export interface RequestEnd {
  readonly requestId: string;
  readonly role: string;
  readonly target: string;
  readonly outcome: string;
  readonly attempts: number;
  readonly durationMs: number;
}

interface Told {
  atMs: number;
  suppressed: number;
}

/**
 * At most one line for a request, when it is over: a warning with what its upstreams said where attempts failed (repeats
 * are counted, not written), else a line that shows at level `debug`.
 */
export class FailureLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  requestOver(request: RequestEnd, failed: readonly FailedAttempt[]): void {
    const failures = failed.flatMap((attempt) => this.#describe(attempt) ?? []);
    if (failures.length > 0) this.#log.warn({ ...request, failures }, 'attempts failed');
    else if (this.#log.isLevelEnabled('debug')) this.#log.debug({ ...request }, 'a request is over');
  }

  /** A defect of ours: the request is answered 500, and this is all that tells why. */
  defect(requestId: string, error: unknown): void {
    this.#log.error({ requestId, err: error }, 'a request met a defect of the gateway');
  }

  /** @returns null where the same was told a moment ago */
  #describe({ target, failure }: FailedAttempt): object | null {
    const nowMs = this.#clock.monotonicMs();
    const key = `${target}\n${failure.code}`;
    const told = this.#told.get(key);
    if (told !== undefined && nowMs - told.atMs < REPEAT_MS) {
      told.suppressed++;
      return null;
    }
    if (this.#told.size >= MAX_KEYS) this.#told.clear();
    this.#told.set(key, { atMs: nowMs, suppressed: 0 });
    const { code, detail } = failure;
    return { target, code, detail: detail.slice(0, DETAIL_MAX_CHARS), suppressed: told?.suppressed ?? 0 };
  }
}
