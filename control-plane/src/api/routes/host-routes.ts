import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { describeHost, describeHostInDetail, findHost, findJoinedHost } from '../describe-host.js';
import { byName, pageOfItems, pageQuerySchema } from '../pagination.js';
import { problemResponses } from '../problem-responses.js';
import { hostDetailSchema, hostSchema, listOf } from '../schemas.js';

export const hostParam = z.object({
  host: z.string().openapi({ param: { name: 'host', in: 'path' }, example: 'armitage' }),
});

export function addHostRoutes(app: OpenAPIHono, context: ApiContext): void {
  addReadRoutes(app, context);
  for (const verb of ['drain', 'undrain'] as const) addDrainRoute(app, context, verb);
}

function addReadRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts',
      operationId: 'listHosts',
      tags: ['hosts'],
      summary: 'All hosts: declared, joined, or both; by name',
      request: { query: pageQuerySchema },
      responses: {
        200: { description: 'Hosts', content: { 'application/json': { schema: listOf(hostSchema) } } },
        ...problemResponses(400, 401),
      },
    }),
    (c) => {
      const query = { listing: 'listHosts' };
      const page = pageOfItems(context.live.hosts(), c.req.valid('query'), query, byName);
      return c.json({ ...page, items: page.items.map((host) => describeHost(context, host)) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}',
      operationId: 'getHost',
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

function addDrainRoute(app: OpenAPIHono, context: ApiContext, verb: 'drain' | 'undrain'): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: `/hosts/{host}/${verb}`,
      operationId: `${verb}Host`,
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
