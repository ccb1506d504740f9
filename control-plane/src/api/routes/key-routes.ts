import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { KeyChange, KeyRefusal, NewKeySecret, StoredKey } from '../../registry/key-types.js';
import type { ApiContext } from '../api-context.js';
import {
  changeKeySchema,
  createKeySchema,
  keySchema,
  newKeySchema,
  rotateKeySchema,
} from '../key-schemas.js';
import { type ListingOrder, pageOfItems, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { listOf } from '../schemas.js';

const tags = ['keys'];
const params = z.object({
  key: z
    .string()
    .openapi({ param: { name: 'key', in: 'path' }, example: 'obsidian', description: 'Name or id' }),
});
const oneKey = { description: 'The key', content: { 'application/json': { schema: keySchema } } };
const newKey = {
  description: 'The key, and its secret for the only time',
  content: { 'application/json': { schema: newKeySchema } },
};

export function addKeyRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoutes(app, context);
  addPolicyRoutes(app, context);
  addSecretRoutes(app, context);
}

function addReadRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/keys',
      operationId: 'listKeys',
      tags,
      summary: 'Keys, revoked ones too; never their secrets',
      request: { query: pageQuerySchema },
      responses: {
        200: { description: 'Keys', content: { 'application/json': { schema: listOf(keySchema) } } },
        ...problemResponses(400, 401),
      },
    }),
    (c) => {
      const nowMs = context.clock.nowMs();
      const keys = context.keys.list().map((key) => presentKey(key, nowMs));
      return c.json(pageOfItems(keys, c.req.valid('query'), { listing: 'listKeys' }, byNameThenId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/keys/{key}',
      operationId: 'getKey',
      tags,
      summary: 'One key',
      request: { params },
      responses: { 200: oneKey, ...problemResponses(401, 404) },
    }),
    (c) => {
      const { key: nameOrId } = c.req.valid('param');
      const key = context.keys.find(nameOrId) ?? 'unknown';
      return c.json(presentKey(taken(key, nameOrId), context.clock.nowMs()), 200);
    },
  );
}

function addPolicyRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/keys',
      operationId: 'createKey',
      tags,
      summary: 'Make a key; its secret is shown once',
      request: { body: { required: true, content: { 'application/json': { schema: createKeySchema } } } },
      responses: { 201: newKey, ...problemResponses(400, 401, 409, 503, 507) },
    }),
    (c) => {
      const { name, ...given } = c.req.valid('json');
      const change = checkChange(context, given);
      const policy = { ...LEAST, ...change, limits: { ...LEAST.limits, ...change.limits } };
      const created = taken(context.keys.create(name, policy, context.clock.nowMs()), name);
      return c.json(presentNew(created, context.clock.nowMs()), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/keys/{key}',
      operationId: 'changeKey',
      tags,
      summary: 'Change what a key may; what is left out stays. `anonymous` too',
      request: {
        params,
        body: { required: true, content: { 'application/json': { schema: changeKeySchema } } },
      },
      responses: { 200: oneKey, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { key } = c.req.valid('param');
      const nowMs = context.clock.nowMs();
      const changed = context.keys.change(key, checkChange(context, c.req.valid('json')), nowMs);
      return c.json(presentKey(taken(changed, key), nowMs), 200);
    },
  );
}

function addSecretRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/keys/{key}/rotate',
      operationId: 'rotateKey',
      tags,
      summary: 'Give a key a new secret, shown once; the one before stays good for a while',
      request: {
        params,
        body: { required: true, content: { 'application/json': { schema: rotateKeySchema } } },
      },
      responses: { 200: newKey, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { key } = c.req.valid('param');
      const { graceSeconds } = c.req.valid('json');
      const nowMs = context.clock.nowMs();
      const rotated = context.keys.rotate(key, graceSeconds * 1000, nowMs);
      return c.json(presentNew(taken(rotated, key), nowMs), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/keys/{key}',
      operationId: 'revokeKey',
      tags,
      summary: 'Revoke a key for ever; what it has under way ends',
      request: { params },
      responses: { 204: { description: 'Revoked' }, ...problemResponses(401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { key } = c.req.valid('param');
      taken(context.keys.revoke(key, context.clock.nowMs()), key);
      return c.body(null, 204);
    },
  );
}

/** A new key may ask for everything that costs neither power nor money. */
const LEAST = {
  roles: null,
  mayWake: false,
  mayCloud: false,
  expiresAtMs: null,
  keepBodiesDays: null,
  defaultClass: null,
  mostUrgentClass: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, concurrentRequests: null },
};

const byNameThenId: ListingOrder<{ readonly name: string; readonly id: string }, readonly [string, string]> =
  {
    like: z.tuple([z.string(), z.string()]),
    positionOf: ({ name, id }) => [name, id],
    compare: ([oneName, oneId], [otherName, otherId]) => {
      if (oneName !== otherName) return oneName < otherName ? -1 : 1;
      return oneId === otherId ? 0 : oneId < otherId ? -1 : 1;
    },
  };

function checkChange(context: ApiContext, given: Omit<z.infer<typeof changeKeySchema>, 'name'>): KeyChange {
  for (const name of given.roles ?? []) {
    if (context.router.resolve(name) !== undefined) continue;
    const nearest = context.router.nearestNames(name);
    const hint = nearest.length === 0 ? 'see them: ai-fabric roles' : `nearest: ${nearest.join(', ')}`;
    throw new ApiError('invalid', `roles: "${name}" is no declared role, alias or model`, hint);
  }
  const { expiresAtMs } = given;
  if (expiresAtMs !== undefined && expiresAtMs !== null && expiresAtMs <= context.clock.nowMs()) {
    throw new ApiError('invalid', 'expiresAtMs: expected a time to come', 'to end a key now, revoke it');
  }
  return withoutUndefined({ ...given, limits: withoutUndefined(given.limits ?? {}) });
}

/** What zod calls optional may be there and `undefined`; a change has it or has it not. */
function withoutUndefined<Value extends object>(
  value: Value,
): { [K in keyof Value]: Exclude<Value[K], undefined> } {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries) as { [K in keyof Value]: Exclude<Value[K], undefined> };
}

/** @throws ApiError where the registry refused */
function taken<Value extends object>(result: Value | KeyRefusal, asked: string): Value {
  switch (result) {
    case 'unknown':
      throw new ApiError('not_found', `there is no key "${asked}"`, 'list them: ai-fabric keys');
    case 'name_taken':
      throw new ApiError(
        'conflict',
        `there is a key "${asked}" already`,
        'choose another name, or revoke that one',
      );
    case 'revoked':
      throw new ApiError(
        'conflict',
        `the key "${asked}" is revoked, and stays so`,
        'make a new one: ai-fabric keys create',
      );
    case 'has_no_secret':
      throw new ApiError(
        'conflict',
        `"${asked}" is the key of callers without one: it has no secret`,
        'set its limits to 0 to let nobody in without a key: ai-fabric keys limits anonymous --requests-per-minute 0',
      );
    default:
      return result as Value;
  }
}

function presentNew({ key, secret }: NewKeySecret, nowMs: number): z.infer<typeof newKeySchema> {
  return { secret, key: presentKey(key, nowMs) };
}

function presentKey(key: StoredKey, nowMs: number): z.infer<typeof keySchema> {
  const { keyId, name, roles, mayWake, mayCloud, limits, secrets } = key;
  const { createdAtMs, expiresAtMs, rotatedAtMs, revokedAtMs } = key;
  const previous = secrets.map(({ validUntilMs }) => validUntilMs ?? 0).filter((untilMs) => untilMs > nowMs);
  const isExpired = expiresAtMs !== null && expiresAtMs <= nowMs;
  return {
    ...{ id: keyId, name, mayWake, mayCloud, limits },
    state: revokedAtMs !== null ? 'revoked' : isExpired ? 'expired' : 'active',
    roles: roles === null ? null : [...roles],
    hint: secrets[0]?.hint ?? null,
    ...{ createdAtMs, expiresAtMs, rotatedAtMs, revokedAtMs, keepBodiesDays: key.keepBodiesDays },
    ...{ defaultClass: key.defaultClass, mostUrgentClass: key.mostUrgentClass },
    previousValidUntilMs: previous.length === 0 ? null : Math.max(...previous),
  };
}
