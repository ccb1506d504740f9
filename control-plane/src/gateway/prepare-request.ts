import type { IncomingHttpHeaders } from 'node:http';
import type { Router } from '../router/route-types.js';
import type { LoopRequest } from './attempt-loop.js';
import type { GatewayError } from './decide/error-table.js';
import { isCheck } from './decide/is-check.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import { mayAskFor, nameOfResolved } from './decide/may-ask-for.js';
import { modelNotFound } from './decide/model-not-found.js';
import { peekBody, withoutMark } from './peek-body.js';
import { readAffinity } from './read-affinity.js';
import type { GatewayKey, RequestContext } from './request-context.js';

/** A client's wish for this request alone: `true` keeps it from every provider. */
const LOCAL_ONLY_HEADER = 'x-fabric-local-only';

export type PreparedRequest =
  | {
      readonly ok: true;
      readonly request: LoopRequest;
      /** The body as it is to be forwarded, less the rewriting for a target. */
      readonly bytes: Buffer;
    }
  | { readonly ok: false; readonly error: GatewayError };

/** From a whole body to what can be asked for; everything that can be wrong with it is found here. */
export function prepareRequest(
  body: Buffer,
  headers: IncomingHttpHeaders,
  context: RequestContext,
  endpoint: EngineEndpoint,
  router: Router,
): PreparedRequest {
  const bytes = withoutMark(body);
  const peeked = peekBody(bytes);
  if (!peeked.ok) return peeked;
  const { model } = peeked.request;
  const resolved = router.resolve(model);
  if (resolved === undefined || !mayAskFor(context.key, model, resolved)) {
    const { key } = context;
    const nearest = nearestAllowed(model, key, router);
    return { ok: false, error: modelNotFound(model, nearest, key.roles !== null) };
  }
  const request: LoopRequest = {
    requestId: context.requestId,
    keyId: context.key.keyId,
    role: nameOfResolved(resolved),
    endpoint,
    peeked: peeked.request,
    affinity: readAffinity(bytes, peeked.request, headers, resolved, context.key.keyId),
    resolved,
    mayCloud: context.key.mayCloud,
    // A check tells how things are now.
    mayWait: !isCheck(headers, context.key),
    localOnly: oneHeader(headers[LOCAL_ONLY_HEADER])?.trim().toLowerCase() === 'true',
    trace: { traceparent: oneHeader(headers['traceparent']), tracestate: oneHeader(headers['tracestate']) },
  };
  return { ok: true, request, bytes };
}

/** What a key may not ask for is not named to it either. */
export function nearestAllowed(model: string, key: GatewayKey, router: Router): readonly string[] {
  if (key.roles === null) return router.nearestNames(model);
  return router.nearestNames(model).filter((name) => {
    const resolved = router.resolve(name);
    return resolved !== undefined && mayAskFor(key, name, resolved);
  });
}

function oneHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
