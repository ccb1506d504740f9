import type { IncomingHttpHeaders } from 'node:http';
import { describeLimit } from './admission/decide/describe-limit.js';
import { estimateTokens } from './admission/decide/estimate-tokens.js';
import type { Reservation } from './admission/key-limiter.js';
import type { RequestBody } from './body/spooled-body.js';
import type { Refusal } from './decide/describe-refusal.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import type { GatewayParts } from './gateway-parts.js';
import type { LoopRequest } from './loop-request.js';
import { prepareRequest } from './prepare-request.js';
import type { RequestContext } from './request-context.js';

export type TakenRequest =
  | {
      readonly ok: true;
      readonly request: LoopRequest;
      /** As it is to be forwarded, less the rewriting for a target. */
      readonly body: RequestBody;
      readonly reservation: Reservation;
    }
  | {
      readonly ok: false;
      readonly refusal: Refusal;
      /** What is known of it all the same; `null` where it is nothing that can be asked for. */
      readonly request: LoopRequest | null;
    };

/** From a whole body to a request that may be sent: prepared, and let in by its key's limits. */
export function takeRequest(
  { router, responseHolders, keyLimiter }: Pick<GatewayParts, 'router' | 'responseHolders' | 'keyLimiter'>,
  received: RequestBody,
  headers: IncomingHttpHeaders,
  context: RequestContext,
  endpoint: EngineEndpoint,
): TakenRequest {
  const prepared = prepareRequest(received, headers, context, endpoint, router, responseHolders);
  if (!prepared.ok) {
    const { error } = prepared;
    return { ok: false, refusal: { error, retryAfterSeconds: null, reason: error.code }, request: null };
  }
  const { request, body } = prepared;
  const { hasAnswerText } = endpoint;
  const { estimatedPromptTokens, maxTokens } = request.peeked;
  const tokens = estimateTokens({ estimatedPromptTokens, maxTokens, hasAnswerText });
  const reserved = keyLimiter.reserve(context.key, tokens);
  if ('limit' in reserved) return { ok: false, refusal: describeLimit(context.key.name, reserved), request };
  return { ok: true, request, body, reservation: reserved };
}
