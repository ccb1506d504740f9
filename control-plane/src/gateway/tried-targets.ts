import type { Router } from '../router/route-types.js';
import { type AttemptFailure, isBusy } from './decide/attempt-failure.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';

interface TriedTarget {
  /** As many as there had been when it failed. */
  readonly comebacks: number;
  readonly failedAtMs: number;
  readonly wasFull: boolean;
  /** Times that it broke with this request in hand: the request may be what breaks it. */
  readonly breaks: number;
}

const NONE: ReadonlySet<string> = new Set();

/** What one request has met with on its way through the targets, and which of them it is not to ask again. */
export class TriedTargets {
  /** In their order. */
  readonly failures: AttemptFailure[] = [];
  readonly #router: Pick<Router, 'comebacks'>;
  #excluded: Set<string> | null = null;
  /** What came of asking each target, for when it comes back. */
  #tried: Map<string, TriedTarget> | null = null;
  #foundTooLongBy: Set<string> | null = null;
  /** Attempts that met a full engine before the last wait: they do not count against it. */
  #forgiven = 0;

  constructor(router: Pick<Router, 'comebacks'>) {
    this.#router = router;
  }

  get excluded(): ReadonlySet<string> {
    return this.#excluded ?? NONE;
  }

  get foundTooLongBy(): ReadonlySet<string> {
    return this.#foundTooLongBy ?? NONE;
  }

  failed(target: string, failure: AttemptFailure, nowMs: number): void {
    this.failures.push(failure);
    this.#excluded ??= new Set();
    this.#excluded.add(target);
    this.#tried ??= new Map();
    // An engine that was never reached was not broken by this request.
    const broke = isBusy(failure) || failure.code === 'connect_refused' ? 0 : 1;
    this.#tried.set(target, {
      comebacks: this.#router.comebacks(target),
      failedAtMs: nowMs,
      wasFull: isBusy(failure),
      breaks: (this.#tried.get(target)?.breaks ?? 0) + broke,
    });
  }

  tooLong(target: string): void {
    this.#foundTooLongBy ??= new Set();
    this.#foundTooLongBy.add(target);
  }

  /** Targets that were merely full, or that have come back or had time to since they failed, may be asked again. */
  readmit(nowMs: number): void {
    this.#forgiven = this.failures.filter(isBusy).length;
    for (const [target, tried] of this.#tried ?? []) {
      const isBack =
        this.#router.comebacks(target) > tried.comebacks ||
        nowMs - tried.failedAtMs >= GATEWAY_LIMITS.retryFailedMs;
      if (tried.wasFull || (isBack && tried.breaks <= GATEWAY_LIMITS.maxBreaks))
        this.#excluded?.delete(target);
    }
  }

  /** Whether the request was sent often enough, or seems to be what breaks engines. */
  isEnough(attempts: number): boolean {
    if (attempts - this.#forgiven >= GATEWAY_LIMITS.maxAttempts) return true;
    const internal = this.failures.filter(({ code }) => code === 'status_500').length;
    return internal >= GATEWAY_LIMITS.maxInternalErrors;
  }
}
