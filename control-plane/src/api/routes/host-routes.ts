import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { DeclaredState } from '../../declared/declared-state.js';
import type { LiveHost } from '../../live/live-view.js';
import type { ApiContext } from '../api-context.js';
import { byName, pageOfItems, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { hostSchema, listOf } from '../schemas.js';

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
      const declared = context.declared.current();
      const query = { listing: 'listHosts' };
      const page = pageOfItems(context.live.hosts(), c.req.valid('query'), query, byName);
      return c.json({ ...page, items: page.items.map((host) => describeHost(host, declared)) }, 200);
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
        200: { description: 'The host', content: { 'application/json': { schema: hostSchema } } },
        ...problemResponses(401, 404),
      },
    }),
    (c) =>
      c.json(describeHost(findHost(context, c.req.valid('param').host), context.declared.current()), 200),
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
        200: { description: 'The host', content: { 'application/json': { schema: hostSchema } } },
        ...problemResponses(401, 404, 503, 507),
      },
    }),
    (c) => {
      const { name, hostId } = findHost(context, c.req.valid('param').host);
      if (hostId === null) {
        throw new ApiError(
          'not_found',
          `host "${name}" is declared but never joined`,
          'join its agent first',
        );
      }
      context.setDraining(name, verb === 'drain');
      return c.json(describeHost(findHost(context, name), context.declared.current()), 200);
    },
  );
}

export function findHost(context: ApiContext, name: string): LiveHost {
  const host = context.live.host(name);
  if (host) return host;
  const known = [...context.live.hosts()].map((each) => each.name).sort();
  throw new ApiError(
    'not_found',
    `no host is called "${name}"; known are: ${known.join(', ') || 'none yet'}`,
    known.length === 0 ? 'join one: POST /api/v1/join-tokens, then ai-fabric-agent join' : null,
  );
}

function describeHost(host: LiveHost, declared: DeclaredState): z.infer<typeof hostSchema> {
  const declaredHost = declared.hosts.get(host.name);
  return {
    ...host,
    declared: declaredHost !== undefined,
    mayBeAway: declaredHost?.mayBeAway ?? false,
    issues: [...host.issues],
  };
}
