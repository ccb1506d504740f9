import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { describeHost, describeHostInDetail, findHost, findJoinedHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { hostDetailSchema, hostSchema, listOf, sampleSchema } from '../schemas.js';

const hostParam = z.object({
  host: z.string().openapi({ param: { name: 'host', in: 'path' }, example: 'armitage' }),
});
const HISTORY_MS = 15 * 60 * 1000;

export function addHostRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoutes(app, context);
  addTelemetryRoute(app, context);
  for (const verb of ['drain', 'undrain'] as const) addDrainRoute(app, context, verb);
}

function addReadRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts',
      tags: ['hosts'],
      summary: 'All hosts: declared, joined, or both',
      responses: {
        200: { description: 'Hosts', content: { 'application/json': { schema: listOf(hostSchema) } } },
        ...problemResponses(401),
      },
    }),
    (c) => {
      const items = [...context.live.hosts()].map((host) => describeHost(context, host));
      items.sort((a, b) => a.name.localeCompare(b.name));
      return c.json({ items, nextCursor: null }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}',
      tags: ['hosts'],
      summary: 'One host: everything known of it',
      request: { params: hostParam },
      responses: {
        200: { description: 'The host', content: { 'application/json': { schema: hostDetailSchema } } },
        ...problemResponses(401, 404),
      },
    }),
    (c) => c.json(describeHostInDetail(context, findHost(context, c.req.valid('param').host)), 200),
  );
}

function addTelemetryRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}/telemetry',
      tags: ['hosts'],
      summary:
        'Samples of the last 15 minutes, oldest first; a stretch without samples is a gap, never filled in',
      request: {
        params: hostParam,
        query: z.object({
          fromMs: z.coerce
            .number()
            .optional()
            .openapi({ description: 'Milliseconds since 1970; default 15 min ago' }),
          toMs: z.coerce.number().optional().openapi({ description: 'Milliseconds since 1970; default now' }),
        }),
      },
      responses: {
        200: { description: 'Samples', content: { 'application/json': { schema: listOf(sampleSchema) } } },
        ...problemResponses(400, 401, 404),
      },
    }),
    (c) => {
      const { name } = findHost(context, c.req.valid('param').host);
      const nowMs = context.clock.nowMs();
      const { fromMs = nowMs - HISTORY_MS, toMs = nowMs } = c.req.valid('query');
      if (fromMs > toMs) throw new ApiError('invalid', `fromMs (${fromMs}) is after toMs (${toMs})`);
      return c.json({ items: [...context.live.history(name, fromMs, toMs)], nextCursor: null }, 200);
    },
  );
}

function addDrainRoute(app: OpenAPIHono, context: ApiContext, verb: 'drain' | 'undrain'): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: `/hosts/{host}/${verb}`,
      tags: ['hosts'],
      summary:
        verb === 'drain'
          ? 'The host takes no new requests; those under way finish'
          : 'The host takes requests again',
      request: { params: hostParam },
      responses: {
        200: { description: 'The host', content: { 'application/json': { schema: hostDetailSchema } } },
        ...problemResponses(401, 404, 503, 507),
      },
    }),
    (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      context.hostLife.setDraining(name, verb === 'drain');
      return c.json(describeHostInDetail(context, findHost(context, name)), 200);
    },
  );
}
