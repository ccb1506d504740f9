import { REST_CAUSES, type RestCause } from './decide/step-cooldown.js';
import type { Moment } from './engine-gauges.js';
import type { BegunRests, TargetGauge } from './gauge-types.js';
import type { Ledger } from './ledger.js';
import type { TargetBoard } from './target-board.js';

const UNBOUNDED = { slots: null, externalLoad: null, pace: null, restSeconds: null };

/** Of each target that is declared, and of those that are not any more and yet have requests. */
export function readGauges(board: TargetBoard, ledger: Ledger, now: Moment): TargetGauge[] {
  const counts = (target: string): Pick<TargetGauge, 'target' | 'inflight' | 'reapedTotal'> => {
    const { inflight, reapedTotal } = ledger.account(target);
    return { target, inflight, reapedTotal };
  };
  const gauges: TargetGauge[] = [];
  for (const replica of board.replicas()) {
    replica.refresh(now);
    const { drift, backlogTokens, kvCapacityTokens } = replica.load;
    gauges.push({
      ...counts(replica.target),
      kind: 'deployment',
      slots: replica.deployment.maxConcurrent,
      externalLoad: replica.knownExternalLoad,
      pace: { ...replica.rates, drift, backlogTokens, kvCapacityTokens },
      breaker: replica.breaker.phase,
      restSeconds: null,
    });
  }
  for (const { target, breaker, limits } of board.clouds()) {
    const restSeconds = limits.restForMs(now.monotonicMs) / 1000;
    gauges.push({ ...counts(target), ...UNBOUNDED, kind: 'provider', breaker: breaker.phase, restSeconds });
  }
  for (const { target } of ledger.accounts()) {
    if (board.has(target)) continue;
    const kind = target.includes('/') ? 'provider' : 'deployment';
    gauges.push({ ...counts(target), ...UNBOUNDED, kind, breaker: 'closed' });
  }
  return gauges;
}

/** Of each provider that is declared, its own rests and those of its models together. */
export function readBegunRests(board: TargetBoard): BegunRests[] {
  const begunBy = new Map<string, Record<RestCause, number>>();
  for (const { provider, limits } of board.clouds()) {
    // What all its models share is counted once.
    const begun = begunBy.get(provider.name) ?? { ...limits.shared.begun };
    for (const cause of REST_CAUSES) begun[cause] += limits.own.begun[cause];
    begunBy.set(provider.name, begun);
  }
  return [...begunBy].flatMap(([provider, begun]) =>
    REST_CAUSES.map((cause) => ({ provider, cause, count: begun[cause] })),
  );
}
