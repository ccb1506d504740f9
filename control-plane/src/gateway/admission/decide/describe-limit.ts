import type { Refusal } from '../../decide/describe-refusal.js';
import { gatewayError } from '../../decide/error-table.js';
import { formatSpan } from './limit-headers.js';
import type { LimitName, LimitRefusal } from './step-key-use.js';

const WORDS: Record<LimitName, string> = {
  requests_per_minute: 'requests per minute',
  tokens_per_minute: 'tokens per minute',
  concurrent_requests: 'concurrent requests',
};
/** How soon to look again whether another request of the key has ended. */
const CONCURRENT_RETRY_SECONDS = 1;

/** What a client is told whose key has used what it may. */
export function describeLimit(keyName: string, refusal: LimitRefusal): Refusal {
  const { limit, allowed, retryAfterMs } = refusal;
  const words = `${WORDS[limit]} (${limit})`;
  if (allowed === 0) {
    const message = `The key "${keyName}" allows no requests: its limit of ${words} is 0. An operator sets it with "ai-fabric keys limits".`;
    return { error: gatewayError('limit_is_zero', message), retryAfterSeconds: null, reason: limit };
  }
  if (retryAfterMs === null) {
    const message = `The key "${keyName}" is at its limit of ${words}: ${allowed}. Come again when another of its requests has ended.`;
    const error = gatewayError('rate_limit_exceeded', message);
    return { error, retryAfterSeconds: CONCURRENT_RETRY_SECONDS, reason: limit };
  }
  const message = `The key "${keyName}" is at its limit of ${words}: ${allowed}. Come again in ${formatSpan(retryAfterMs)}.`;
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return { error: gatewayError('rate_limit_exceeded', message), retryAfterSeconds, reason: limit };
}
