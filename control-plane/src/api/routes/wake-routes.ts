import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ListedWake } from '../../registry/power-types.js';
import type { ApiContext } from '../api-context.js';
import { findHost, findJoinedHost } from '../describe-host.js';
import { decodeCursor, pageOfRows, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { listOf } from '../schemas.js';
import { settledWithin } from '../settled-within.js';
import { wakeSchema } from '../wake-schemas.js';
import { hostParam } from './host-routes.js';

const LONGEST_WAIT_SECONDS = 60;
const described = { description: 'The wake', content: { 'application/json': { schema: wakeSchema } } };

export function addWakeRoutes(app: OpenAPIHono, context: ApiContext): void {
  addWakeRoute(app, context);
  addListRoute(app, context);
  addGetRoute(app, context);
}

function addWakeRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/wake',
      operationId: 'wakeHost',
      tags: ['hosts'],
      summary:
        'Wake the host, or join the wake that is under way; quiet hours and cooldown do not hold it up',
      request: {
        params: hostParam,
        query: z.object({
          waitSeconds: z.coerce.number().min(0).max(LONGEST_WAIT_SECONDS).default(0).openapi({
            description: 'Answer when it has ended, or after so long',
          }),
        }),
      },
      responses: { 200: described, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    async (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const begun = context.hostWakes.wake(name);
      if (!begun.ok) {
        const fix =
          begun.code === 'not_wakeable' ? `see what stands in the way: ai-fabric hosts show ${name}` : null;
        throw new ApiError(begun.code, begun.detail, fix);
      }
      const waitMs = c.req.valid('query').waitSeconds * 1000;
      if (waitMs > 0) await settledWithin(begun.settled, waitMs, context.clock);
      return c.json(present(await findWake(context, begun.wakeId)), 200);
    },
  );
}

function addListRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/wakes',
      operationId: 'listWakes',
      tags: ['hosts'],
      summary: 'Wakes of hosts, newest first: who asked, how long each phase took, what came of it',
      request: {
        query: pageQuerySchema.extend({
          host: z.string().optional().openapi({ description: 'Of this host alone' }),
        }),
      },
      responses: {
        200: { description: 'A page', content: { 'application/json': { schema: listOf(wakeSchema) } } },
        ...problemResponses(400, 401, 404, 503),
      },
    }),
    async (c) => {
      const { limit, cursor, host } = c.req.valid('query');
      if (host !== undefined) findHost(context, host);
      const listing = { listing: 'listWakes', filters: { host } };
      const after = decodeCursor(listing, cursor, z.tuple([z.number(), z.string()]));
      const rows = await context.reader.query('wakes', {
        ...{ host: host ?? null, limit: limit + 1 },
        after: after === null ? null : { askedAtMs: after[0], wakeId: after[1] },
      });
      const page = pageOfRows(rows, limit, listing, ({ askedAtMs, wakeId }) => [askedAtMs, wakeId]);
      return c.json({ items: page.items.map(present), nextCursor: page.nextCursor }, 200);
    },
  );
}

function addGetRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/wakes/{wakeId}',
      operationId: 'getWake',
      tags: ['hosts'],
      summary: 'One wake of a host, also while it is under way',
      request: {
        params: z.object({
          wakeId: z
            .string()
            .max(64)
            .openapi({ param: { name: 'wakeId', in: 'path' }, example: 'a-wake' }),
        }),
      },
      responses: { 200: described, ...problemResponses(400, 401, 404, 503) },
    }),
    async (c) => c.json(present(await findWake(context, c.req.valid('param').wakeId)), 200),
  );
}

/** @throws ApiError not_found */
async function findWake({ hostWakes, reader }: ApiContext, wakeId: string): Promise<ListedWake> {
  const found = hostWakes.find(wakeId) ?? (await reader.query('wake', { wakeId }));
  if (found === null) {
    throw new ApiError('not_found', `no wake has the id "${wakeId}"`, 'see those that are kept: GET /wakes');
  }
  return found;
}

function present(wake: ListedWake): z.infer<typeof wakeSchema> {
  return { ...wake, phases: { ...wake.phases } };
}
