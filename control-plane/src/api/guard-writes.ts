import { createHash } from 'node:crypto';
import type { Clock } from '@ai-fabric/shared';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Handler, MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { KeptAnswer, NewWrite, WriteJournal, WriteKey } from '../registry/write-journal.js';
import { judgeRepeat } from './decide/judge-repeat.js';
import { holdsSecret, summariseBody } from './decide/mask-secrets.js';
import { ApiError } from './problem.js';

export interface WriteGuardParts {
  readonly journal: WriteJournal;
  readonly clock: Clock;
  readonly log: Logger;
}

type RouteConfig = Parameters<OpenAPIHono['openapi']>[0];

interface Write {
  readonly write: NewWrite;
  readonly key: WriteKey | null;
  /** Its row of the audit log, once it began. */
  id: number | null;
}

declare module 'hono' {
  interface ContextVariableMap {
    write: Write;
    /** Of the problem that a failed call is answered with. */
    problemCode: string;
  }
}

const KEY = /^[\x21-\x7e]{1,255}$/;
const MAX_KEPT_CHARACTERS = 64 * 1024;

/**
 * Makes every route that is added from now on, and that changes something, go through the audit log and take
 * idempotency keys. A route that is no GET and changes nothing says so: `'x-changes-nothing': true`.
 */
export function guardWrites(app: OpenAPIHono, parts: WriteGuardParts): void {
  const inFlight = new Map<string, string>();
  const add = app.openapi as (route: RouteConfig, handler: Handler, hook?: unknown) => OpenAPIHono;
  const addGuarded: typeof add = (route, handler, hook) => {
    if (route.method === 'get' || route['x-changes-nothing'] === true) return add(route, handler, hook);
    const own = route.middleware ?? [];
    const around = aroundWrite(route.operationId ?? `${route.method} ${route.path}`, parts, inFlight);
    const middleware = [around, ...(Array.isArray(own) ? own : [own])];
    return add({ ...route, ...withRequiredBody(route), middleware }, begun(handler, parts.journal), hook);
  };
  app.openapi = addGuarded as typeof app.openapi;
}

/** A body that may be left out is not checked where its type is left out, and would reach the handler as it is. */
function withRequiredBody({ request }: RouteConfig): Pick<RouteConfig, 'request'> {
  if (request?.body === undefined) return {};
  return { request: { ...request, body: { required: true, ...request.body } } };
}

/** The row is written in the same breath as what the handler does at once: their order in the file is one. */
function begun(handler: Handler, journal: WriteJournal): Handler {
  return (c, next) => {
    const write = c.get('write');
    write.id = journal.begin(write.write, write.key);
    return handler(c, next) as Response | Promise<Response>;
  };
}

function aroundWrite(
  operationId: string,
  parts: WriteGuardParts,
  inFlight: Map<string, string>,
): MiddlewareHandler {
  return async (c, next) => {
    const write = await readWrite(c, operationId, parts.clock.nowMs());
    c.set('write', write);
    const { key } = write;
    if (key === null) {
      await next();
      await settle(c, write, parts);
      return undefined;
    }
    const replayed = answerAgain(key, parts, inFlight.get(key.keySha256) ?? null);
    if (replayed !== null) return replayed;
    inFlight.set(key.keySha256, key.fingerprint);
    try {
      await next();
      await settle(c, write, parts);
    } finally {
      inFlight.delete(key.keySha256);
    }
    return undefined;
  };
}

async function readWrite(c: Context, operationId: string, atMs: number): Promise<Write> {
  const text = await c.req.text();
  const contentType = c.req.header('content-type');
  const [requestId, actor] = [c.get('requestId'), c.get('actor')];
  const body = summariseBody(text, contentType);
  const given = c.req.header('idempotency-key');
  if (given !== undefined && !KEY.test(given)) {
    throw new ApiError('invalid', 'an Idempotency-Key is 1 to 255 visible ASCII characters', 'use a UUID');
  }
  const { pathname, search } = new URL(c.req.url);
  const key =
    given === undefined
      ? null
      : {
          keySha256: sha256(JSON.stringify([actor, given])),
          fingerprint: sha256(JSON.stringify([c.req.method, pathname, search, contentType, text])),
        };
  return { write: { atMs, requestId, actor, operationId, params: c.req.param(), body }, key, id: null };
}

/** @returns the first answer once more, `null` where this is the first time. @throws ApiError */
function answerAgain(
  { keySha256, fingerprint }: WriteKey,
  { journal, clock }: WriteGuardParts,
  inFlight: string | null,
): Response | null {
  const earlier = inFlight === null ? journal.find(keySha256, clock.nowMs()) : null;
  const repeat = judgeRepeat({ fingerprint, inFlight, earlier });
  if (repeat.kind === 'first') return null;
  if (repeat.kind === 'refuse') {
    const headers: Record<string, string> = repeat.code === 'in_flight' ? { 'retry-after': '1' } : {};
    throw new ApiError(repeat.code, repeat.detail, repeat.fix, headers);
  }
  const { status, contentType, body } = repeat;
  const type: Record<string, string> = contentType === null ? {} : { 'content-type': contentType };
  return new Response(body === '' ? null : body, {
    status,
    headers: { ...type, 'idempotent-replayed': 'true' },
  });
}

async function settle(
  c: Context,
  { write, key, id }: Write,
  { journal, log }: WriteGuardParts,
): Promise<void> {
  const { status } = c.res;
  const outcome = { status, code: c.error === undefined ? null : (c.get('problemCode') ?? null) };
  try {
    if (id === null) journal.refuse(write, outcome);
    else {
      // A failure of ours: nobody wants it again, and the same request may well succeed.
      const answer = key === null || status >= 500 ? null : await keptAnswer(c.res);
      journal.finish(id, outcome, key?.keySha256 ?? null, answer);
    }
  } catch (error) {
    // It is done, and its caller must hear of it; the row that was begun says that the outcome is not known.
    log.error(
      { error: String(error), requestId: write.requestId },
      'the outcome of a write was not recorded',
    );
  }
}

async function keptAnswer(answer: Response): Promise<KeptAnswer> {
  const contentType = answer.headers.get('content-type');
  if (contentType !== null && !/[/+]json\b/.test(contentType)) return { contentType, body: null };
  const body = await answer.clone().text();
  const keeps = body.length <= MAX_KEPT_CHARACTERS && (body === '' || !holdsSecret(JSON.parse(body)));
  return { contentType, body: keeps ? body : null };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
