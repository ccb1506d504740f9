import { countOf } from '@ai-fabric/shared';
import type { Considered, QueueOutlook, RefusalCode, RouteDecision } from '../../router/route-types.js';
import { type AttemptFailure, isBusy } from './attempt-failure.js';
import { type GatewayError, type GatewayErrorCode, gatewayError } from './error-table.js';

export interface Refusal {
  readonly error: GatewayError;
  /** `null` where coming again does not help. */
  readonly retryAfterSeconds: number | null;
  /** For `x-fabric-reason`. */
  readonly reason: string;
  /** How it stood in the queue, or would. */
  readonly outlook?: QueueOutlook;
}

const REASON_MAX_CHARS = 400;
/** Where neither the upstream nor the router said when to come again. */
const BUSY_RETRY_SECONDS = 1;

/**
 * What the client is told when the router has no target (left).
 *
 * @param attempts of this request that failed so far, in order
 */
export function describeRefusal(
  asked: string,
  decision: RefuseDecision,
  attempts: readonly TriedTarget[],
): Refusal {
  const failures = attempts.map(({ failure }) => failure);
  const causes = new Map(attempts.map(({ target, failure }) => [target, failure.code]));
  const reason = describeReason(decision.code, decision.considered, causes);
  const retryAfterSeconds = decision.retryAfterSeconds > 0 ? decision.retryAfterSeconds : null;
  if (failures.length > 0 && SAYS_NONE_LEFT.has(decision.code)) {
    return { ...describeFailures(asked, failures, retryAfterSeconds), reason };
  }
  const code = GATEWAY_CODES[decision.code];
  const param = ABOUT_THE_REQUEST.has(decision.code) ? 'model' : null;
  return { error: gatewayError(code, decision.detail, param), retryAfterSeconds, reason };
}

/** A refusal for want of an awake host, with why the fleet wakes none. */
export function withWakeRefusal(decision: RefuseDecision, why: string | null): RefuseDecision {
  if (why === null || decision.code !== 'host_asleep') return decision;
  return { ...decision, detail: `${decision.detail}; none could be woken: ${why}` };
}

interface TriedTarget {
  readonly target: string;
  readonly failure: AttemptFailure;
}

type RefuseDecision = Extract<RouteDecision, { kind: 'refuse' }>;

/** Codes that say nothing but that no target is left: the attempts' own failures say more. */
const SAYS_NONE_LEFT: ReadonlySet<RefusalCode> = new Set([
  'all_failed',
  'no_capacity',
  'not_ready',
  'yielded',
  'host_away',
  'host_asleep',
  'provider_key_missing',
  'local_only',
  'rate_limited',
  'provider_refuses',
]);
const GATEWAY_CODES: Readonly<Record<RefusalCode, GatewayErrorCode>> = {
  no_capacity: 'no_capacity',
  host_away: 'host_away',
  host_asleep: 'host_asleep',
  waking: 'waking',
  not_ready: 'not_ready',
  yielded: 'yielded',
  loading: 'loading',
  all_failed: 'all_failed',
  context_too_long: 'context_length_exceeded',
  wrong_task: 'wrong_task',
  endpoint_not_spoken: 'endpoint_not_spoken',
  cloud_not_allowed: 'cloud_not_allowed',
  provider_key_missing: 'provider_key_missing',
  local_only: 'local_only',
  rate_limited: 'rate_limit_exceeded',
  provider_refuses: 'upstream_misconfigured',
  lacks_capability: 'lacks_capability',
  condition_unmet: 'condition_unmet',
};
const ABOUT_THE_REQUEST: ReadonlySet<RefusalCode> = new Set([
  'wrong_task',
  'endpoint_not_spoken',
  'cloud_not_allowed',
]);

/** What the client is told when the gateway gives up after its attempts. */
export function describeFailures(
  asked: string,
  failures: readonly AttemptFailure[],
  retryAfterSeconds: number | null,
): Refusal {
  const counted = failures.filter((failure) => !isBusy(failure));
  const last = counted.at(-1);
  const attempts = countOf(failures.length, 'attempt');
  if (last === undefined) return describeBusy(asked, attempts, failures, retryAfterSeconds);
  const [code, words] = FAILURE_ANSWERS[last.code];
  return {
    error: gatewayError(code, `"${asked}" could not be answered after ${attempts}: ${words}.`),
    retryAfterSeconds,
    reason: last.code,
  };
}

/** All that was tried is full. A provider's 429 is passed on as one. */
function describeBusy(
  asked: string,
  attempts: string,
  failures: readonly AttemptFailure[],
  retryAfterSeconds: number | null,
): Refusal {
  const last = failures.at(-1);
  const told = last?.retryAfterSeconds ?? null;
  if (last?.code === 'status_429') {
    const wait = told ?? retryAfterSeconds ?? BUSY_RETRY_SECONDS;
    const message = `The provider behind "${asked}" limits its rate (${attempts}). Come again in ${wait} s.`;
    return {
      error: gatewayError('rate_limit_exceeded', message),
      retryAfterSeconds: wait,
      reason: last.code,
    };
  }
  const wait = Math.max(told ?? BUSY_RETRY_SECONDS, retryAfterSeconds ?? BUSY_RETRY_SECONDS);
  const message = `Everything that serves "${asked}" is full (${attempts}). Come again in ${wait} s.`;
  return { error: gatewayError('no_capacity', message), retryAfterSeconds: wait, reason: 'no_capacity' };
}

const FAILURE_ANSWERS: Record<AttemptFailure['code'], readonly [GatewayErrorCode, string]> = {
  connect_refused: ['upstream_unreachable', 'the engine refuses connections'],
  connect_timeout: ['upstream_unreachable', 'no connection could be made in time'],
  name_not_found: [
    'upstream_unreachable',
    'the name of its address could not be resolved (is there a way to the internet?)',
  ],
  network_unreachable: ['upstream_unreachable', 'there is no network route to it'],
  tls_failed: ['upstream_unreachable', 'its TLS certificate or handshake failed'],
  reset: ['upstream_unreachable', 'the connection broke before an answer came'],
  tunnel_down: ['upstream_unreachable', 'the tunnel to its host broke or was down'],
  tunnel_busy: ['no_capacity', 'the tunnel to its host is full'],
  tunnel_refused: ['upstream_error', 'the agent on its host would not pass it on'],
  truncated: ['upstream_invalid_answer', 'the answer broke off'],
  protocol_error: ['upstream_invalid_answer', 'the answer was not HTTP'],
  first_byte_timeout: ['upstream_timeout', 'no answer came in time'],
  idle_timeout: ['upstream_timeout', 'the answer stalled'],
  total_timeout: ['upstream_timeout', 'the answer took too long'],
  redirected: ['upstream_invalid_answer', 'the engine answered with a redirect, which is never followed'],
  not_json: ['upstream_invalid_answer', 'the answer was neither JSON nor an event stream'],
  answer_too_large: ['upstream_invalid_answer', 'the answer was too large'],
  unauthorized: ['upstream_misconfigured', 'the upstream refuses the credentials that the fabric has for it'],
  model_unknown_there: ['upstream_misconfigured', 'the upstream does not know the model or the path'],
  endpoint_unknown_there: [
    'endpoint_not_spoken',
    'its engine (or the agent on its host) does not speak this endpoint',
  ],
  status_500: ['upstream_error', 'the engine failed (500)'],
  status_502: ['upstream_error', 'the engine failed (502)'],
  status_503: ['no_capacity', 'the engine is full (503)'],
  status_504: ['upstream_timeout', 'the engine timed out (504)'],
  status_429: ['rate_limit_exceeded', 'the provider limits its rate'],
  status_529: ['no_capacity', 'the provider is overloaded (529)'],
  unpaid: ['upstream_misconfigured', 'the provider wants to be paid first (402)'],
  status_other: ['upstream_error', 'the engine failed'],
  provider_key_missing: ['provider_key_missing', 'its provider has no API key'],
};

/**
 * The code, and for each target in short why not, of one that was tried how it failed:
 * `host_away; armitage-chat=host_away, motoko-chat=reset`.
 */
function describeReason(
  code: string,
  considered: readonly Considered[],
  causes: ReadonlyMap<string, string>,
): string {
  if (considered.length === 0) return code;
  const why = ({ target, verdict }: Considered): string =>
    verdict === 'already_tried' ? (causes.get(target) ?? verdict) : verdict;
  const targets = considered.map((each) => `${each.target}=${why(each)}`).join(', ');
  const reason = `${code}; ${targets}`;
  return reason.length <= REASON_MAX_CHARS ? reason : `${reason.slice(0, REASON_MAX_CHARS)}...`;
}
