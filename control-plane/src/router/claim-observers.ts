import type { Clock } from '@ai-fabric/shared';
import type { Breaker } from './breaker.js';
import type { ClaimObserver } from './ledger.js';
import type { LiveReplicaTarget } from './live-replica-target.js';
import type { AttemptOutcome } from './route-types.js';

export interface ClaimObserverDeps {
  readonly clock: Clock;
  readonly replica: (target: string) => LiveReplicaTarget | undefined;
  /** Something changed at this target: who waits for it looks again. */
  readonly wake: (target: string) => void;
}

/** What a claim tells goes to the breaker, to the replica's own record, and to those who wait for its slot. */
export class ClaimObservers {
  readonly #deps: ClaimObserverDeps;
  /** One for each target, made with its first claim and kept until the declaration changes. */
  readonly #observers = new Map<string, ClaimObserver>();

  constructor(deps: ClaimObserverDeps) {
    this.#deps = deps;
  }

  clear(): void {
    this.#observers.clear();
  }

  of(target: string, breaker: Breaker): ClaimObserver {
    const known = this.#observers.get(target);
    if (known !== undefined) return known;
    const { clock, replica, wake } = this.#deps;
    // The same engine may be declared anew while the claim is open: its record is then with its new target.
    const replicaNow = (): LiveReplicaTarget | undefined => {
      const now = replica(target);
      return now?.breaker === breaker ? now : undefined;
    };
    const observer: ClaimObserver = {
      answered: (isProbe) => {
        breaker.answered(isProbe);
        replicaNow()?.noticeAnswer(clock.monotonicMs());
        // A prompt is read: there is room for the next one.
        wake(target);
      },
      released: (isProbe, outcome, hasAnswered) => {
        breaker.released(isProbe, outcome);
        const now = replicaNow();
        if (now !== undefined) noticeOutcome(now, outcome, hasAnswered, clock);
        wake(target);
      },
    };
    this.#observers.set(target, observer);
    return observer;
  }
}

function noticeOutcome(
  replica: LiveReplicaTarget,
  outcome: AttemptOutcome,
  hasAnswered: boolean,
  clock: Clock,
): void {
  const nowMs = clock.monotonicMs();
  if (outcome.kind === 'failed' || outcome.kind === 'cut_off') replica.noticeFailure(nowMs);
  else if (outcome.kind === 'succeeded' && !hasAnswered) replica.noticeAnswer(nowMs);
}
