import type { IncomingHttpHeaders } from 'node:http';
import type { Router } from '../router/route-types.js';
import { type RequestBody, SpooledBody } from './body/spooled-body.js';
import { chooseClass } from './decide/choose-class.js';
import type { GatewayError } from './decide/error-table.js';
import { targetsOf, unknownTarget } from './decide/find-target.js';
import { checkOf } from './decide/is-check.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import { mayAskFor, nameOfResolved } from './decide/may-ask-for.js';
import { modelNotFound } from './decide/model-not-found.js';
import type { Peek } from './decide/peek-request.js';
import { readWishHeaders } from './decide/read-wish-headers.js';
import type { LoopRequest } from './loop-request.js';
import { peekBody, peekFormBody, withoutMark } from './peek-body.js';
import { readAffinity } from './read-affinity.js';
import type { GatewayKey, RequestContext } from './request-context.js';
import type { ResponseHolders } from './response-holders.js';

/** The one of the role's targets that is to serve it, and no other. */
const TARGET_HEADER = 'x-fabric-target';

export type PreparedRequest =
  | {
      readonly ok: true;
      readonly request: LoopRequest;
      /** As it is to be forwarded, less the rewriting for a target. */
      readonly body: RequestBody;
    }
  | { readonly ok: false; readonly error: GatewayError };

/** From a whole body to what can be asked for; everything that can be wrong with it is found here. */
export function prepareRequest(
  received: RequestBody,
  headers: IncomingHttpHeaders,
  context: RequestContext,
  endpoint: EngineEndpoint,
  router: Router,
  holders: Pick<ResponseHolders, 'find'>,
): PreparedRequest {
  const contentType = headers['content-type'];
  const isForm = endpoint.body === 'multipart';
  const body = isForm || received instanceof SpooledBody ? received : withoutMark(received);
  const peeked = peekAt(body, endpoint, contentType);
  if (!peeked.ok) return peeked;
  const { model } = peeked.request;
  const resolved = router.resolve(model);
  if (resolved === undefined || !mayAskFor(context.key, model, resolved)) {
    const { key } = context;
    const nearest = nearestAllowed(model, key, router);
    return { ok: false, error: modelNotFound(model, nearest, key.roles !== null) };
  }
  let onlyTarget = oneHeader(headers[TARGET_HEADER])?.trim() || null;
  const { previousResponseId } = peeked.request;
  if (onlyTarget !== null) {
    const targets = targetsOf(resolved);
    if (!targets.includes(onlyTarget)) {
      const told = targets.filter((name) => mayKnow(name, context.key, router));
      return { ok: false, error: unknownTarget(onlyTarget, model, told) };
    }
  }
  if (onlyTarget === null && previousResponseId !== null) {
    // Nobody else knows it. What is asked for now may have other targets: then it is theirs to say so.
    const holder = holders.find(previousResponseId);
    if (holder !== null && targetsOf(resolved).includes(holder)) onlyTarget = holder;
  }
  const wishes = readWishHeaders(headers);
  if ('error' in wishes) return { ok: false, error: wishes.error };
  const check = checkOf(headers, context.key);
  const declared = resolved.kind === 'role' ? resolved.role.class : 'normal';
  const chosen = chooseClass(wishes.requestClass, context.key.classes, declared);
  const request: LoopRequest = {
    requestId: context.requestId,
    keyId: context.key.keyId,
    role: nameOfResolved(resolved),
    endpoint,
    peeked: peeked.request,
    affinity: readAffinity(heldBytes(body), peeked.request, headers, resolved, context.key.keyId),
    resolved,
    mayCloud: context.key.mayCloud,
    // A check tells how things are now.
    mayWait: check !== 'plain',
    wakes: check === 'plain' ? 'not_asked' : context.key.mayWake ? 'may' : 'key_forbids',
    requestClass: chosen.requestClass,
    maxWaitMs: wishes.maxWaitMs,
    localOnly: wishes.localOnly,
    formType: isForm ? (contentType ?? null) : null,
    spokenHeaders: endpoint.isAnthropics ? spokenHeaders(headers) : NO_HEADERS,
    onlyTarget,
    trace: { traceparent: oneHeader(headers['traceparent']), tracestate: oneHeader(headers['tracestate']) },
  };
  return { ok: true, request, body };
}

/** Of a body on disk nothing is at hand. */
function heldBytes(body: RequestBody): Uint8Array {
  return body instanceof SpooledBody ? NO_BYTES : body;
}

const NO_BYTES = new Uint8Array(0);

function peekAt(body: RequestBody, endpoint: EngineEndpoint, contentType: string | undefined): Peek {
  if (body instanceof SpooledBody) return { ok: true, request: body.request };
  return endpoint.body === 'multipart' ? peekFormBody(body, contentType) : peekBody(body, endpoint.body);
}

const NO_HEADERS: readonly string[] = [];
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]{0,400}[\x21-\x7e])?$/;

/** What belongs to Anthropic's API itself and not to the client's connection. Without a version it is refused there. */
function spokenHeaders(headers: IncomingHttpHeaders): readonly string[] {
  const version = oneHeader(headers['anthropic-version']);
  const beta = oneHeader(headers['anthropic-beta']);
  const spoken = ['anthropic-version', version !== undefined && PLAIN.test(version) ? version : '2023-06-01'];
  return beta !== undefined && PLAIN.test(beta) ? [...spoken, 'anthropic-beta', beta] : spoken;
}

/** What a key may not ask for is not named to it either. */
export function nearestAllowed(model: string, key: GatewayKey, router: Router): readonly string[] {
  if (key.roles === null) return router.nearestNames(model);
  return router.nearestNames(model).filter((name) => mayKnow(name, key, router));
}

function mayKnow(name: string, key: GatewayKey, router: Router): boolean {
  if (key.roles === null) return true;
  const resolved = router.resolve(name);
  return resolved !== undefined && mayAskFor(key, name, resolved);
}

function oneHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
