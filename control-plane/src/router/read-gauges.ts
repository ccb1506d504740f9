import type { DeclaredState } from '../declared/declared-state.js';
import { REST_CAUSES, type RestCause } from './decide/step-cooldown.js';
import { writesAnswer } from './decide/writes-answer.js';
import type { Moment } from './engine-gauges.js';
import type { AnswerGauge, BegunRests, TargetGauge } from './gauge-types.js';
import type { Ledger } from './ledger.js';
import type { AnswerLengths } from './predict/answer-lengths.js';
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
    const { rates, bytesPerToken } = replica;
    const { drift, backlogTokens, prefilling: unreadPrompts, kvCapacityTokens } = replica.load;
    gauges.push({
      ...counts(replica.target),
      kind: 'deployment',
      slots: replica.deployment.maxConcurrent,
      externalLoad: replica.knownExternalLoad,
      pace: { ...rates, drift, backlogTokens, unreadPrompts, kvCapacityTokens, bytesPerToken },
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

/** Of each role whose targets write answers. */
export function readAnswers({ roles }: Pick<DeclaredState, 'roles'>, lengths: AnswerLengths): AnswerGauge[] {
  const gauges: AnswerGauge[] = [];
  for (const { name, task } of roles.values()) {
    if (writesAnswer({ task })) gauges.push({ role: name, tokens: lengths.expect(name, '', null) });
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
