import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { LiveHost } from '../../live/live-view.js';
import type { ApiContext } from '../api-context.js';
import { findHost, findJoinedHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { settledWithin } from '../settled-within.js';
import { type SleepStanding, sleepActionSchema, sleepStandingSchema } from '../sleep-schemas.js';
import { hostParam } from './host-routes.js';

const LONGEST_WAIT_SECONDS = 60;
const LONGEST_LEASE_SECONDS = 7 * 86_400;
const described = {
  description: 'How it stands with its sleep',
  content: { 'application/json': { schema: sleepStandingSchema } },
};

export function addSleepRoutes(app: OpenAPIHono, context: ApiContext): void {
  addSleepRoute(app, context);
  addStandingRoute(app, context);
  addKeepAwakeRoute(app, context);
}

function addSleepRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/sleep',
      operationId: 'sleepHost',
      tags: ['hosts'],
      summary:
        'Put the host to sleep: drained, its engines stopped or parked, then as declared, or as asked here',
      request: {
        params: hostParam,
        query: z.object({
          waitSeconds: z.coerce.number().min(0).max(LONGEST_WAIT_SECONDS).default(0).openapi({
            description: 'Answer when it sleeps, or is not going to, or after so long',
          }),
        }),
        body: {
          content: {
            'application/json': {
              schema: z.strictObject({
                action: sleepActionSchema.optional().openapi({ description: 'Left out: as declared' }),
                force: z.boolean().default(false).openapi({
                  description: 'Although its owner is there, it is kept awake, or fetches something',
                }),
              }),
            },
          },
        },
      },
      responses: { 200: described, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    async (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const { action = null, force } = c.req.valid('json');
      const begun = context.hostSleeps.sleep(name, action, force);
      if (!begun.ok) {
        const fix = begun.mayBeForced ? `go past it: ai-fabric hosts sleep ${name} --force` : null;
        throw new ApiError('not_put_to_sleep', `${begun.detail} (${begun.code})`, fix);
      }
      const waitMs = c.req.valid('query').waitSeconds * 1000;
      if (waitMs > 0) await settledWithin(begun.settled, waitMs, context.clock);
      return c.json(standingOf(context, findHost(context, name)), 200);
    },
  );
}

function addStandingRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}/sleep',
      operationId: 'getHostSleep',
      tags: ['hosts'],
      summary: 'Whether the host is on its way to sleep, what keeps it awake, and what came of the last time',
      request: { params: hostParam },
      responses: { 200: described, ...problemResponses(401, 404) },
    }),
    (c) => c.json(standingOf(context, findHost(context, c.req.valid('param').host)), 200),
  );
}

function addKeepAwakeRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/keep-awake',
      operationId: 'keepHostAwake',
      tags: ['hosts'],
      summary: 'Keep the host awake for a while, or no longer; what is on its way to sleep is taken back',
      request: {
        params: hostParam,
        body: {
          content: {
            'application/json': {
              schema: z.strictObject({
                seconds: z.int().min(0).max(LONGEST_LEASE_SECONDS).openapi({
                  description: 'From now; each call replaces the one before; 0: no longer',
                }),
                reason: z.string().max(200).nullable().default(null),
              }),
            },
          },
        },
      },
      responses: { 200: described, ...problemResponses(400, 401, 404, 503, 507) },
    }),
    (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const { seconds, reason } = c.req.valid('json');
      context.hostSleeps.keepAwake(name, seconds, reason);
      return c.json(standingOf(context, findHost(context, name)), 200);
    },
  );
}

function standingOf({ hostSleeps }: ApiContext, { name, power }: LiveHost): SleepStanding {
  const { plan, last } = hostSleeps.standing(name) ?? { plan: null, last: null };
  const { state, goingToSleep, keepAwakeUntilMs } = power;
  const kept = plan?.kind === 'stay' ? plan : null;
  return {
    ...{ host: name, state, goingToSleep, keepAwakeUntilMs },
    keptAwakeBy: kept && { guard: kept.guard, detail: kept.detail, mayBeForced: kept.mayBeForced },
    last: last && {
      ...{ atMs: last.atMs, action: last.action, askedBy: last.asker },
      outcome: last.end.kind === 'asleep' ? 'asleep' : 'failed',
      code: last.end.kind === 'asleep' ? null : last.end.code,
      detail: last.end.kind === 'asleep' ? null : last.end.detail,
    },
  };
}
