import type { Moment } from './engine-gauges.js';
import type { Ledger } from './ledger.js';
import type { TargetGauge } from './route-types.js';
import type { TargetBoard } from './target-board.js';

const UNBOUNDED = { slots: null, externalLoad: null, pace: null };

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
    });
  }
  for (const { target, breaker } of board.clouds()) {
    gauges.push({ ...counts(target), ...UNBOUNDED, kind: 'provider', breaker: breaker.phase });
  }
  for (const { target } of ledger.accounts()) {
    if (board.has(target)) continue;
    const kind = target.includes('/') ? 'provider' : 'deployment';
    gauges.push({ ...counts(target), ...UNBOUNDED, kind, breaker: 'closed' });
  }
  return gauges;
}
