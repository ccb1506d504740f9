import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { describeHostInDetail, findHost, findJoinedHost } from '../describe-host.js';
import { createJoinToken, ttlSecondsSchema } from '../join-token.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { hostDetailSchema, newJoinTokenSchema } from '../schemas.js';

const params = z.object({
  host: z.string().openapi({ param: { name: 'host', in: 'path' }, example: 'armitage' }),
});
const detailed = {
  description: 'The host',
  content: { 'application/json': { schema: hostDetailSchema } },
};

/** What ends a host's identity, gives it another, or clears up who has it. */
export function addHostLifeRoutes(app: OpenAPIHono, context: ApiContext): void {
  addRevokeRoute(app, context);
  addReEnrolRoute(app, context);
  addRemoveRoute(app, context);
  addClearConflictRoute(app, context);
}

function addRevokeRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/revoke',
      operationId: 'revokeHost',
      tags: ['hosts'],
      summary: 'Refuse the host’s key from now on: its link ends at once, and it does not come back with it',
      request: { params },
      responses: { 200: detailed, ...problemResponses(401, 404, 503, 507) },
    }),
    (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      context.hostLife.revoke(name);
      return c.json(describeHostInDetail(context, findHost(context, name)), 200);
    },
  );
}

function addReEnrolRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/re-enrol',
      operationId: 'reEnrolHost',
      tags: ['hosts'],
      summary:
        'Make a join token that puts a new key in the place of the host’s: it keeps its name and its history',
      request: {
        params,
        body: {
          content: { 'application/json': { schema: z.strictObject({ ttlSeconds: ttlSecondsSchema }) } },
        },
      },
      responses: {
        201: { description: 'The token', content: { 'application/json': { schema: newJoinTokenSchema } } },
        ...problemResponses(400, 401, 404, 503, 507),
      },
    }),
    async (c) => {
      const { name, hostId } = findJoinedHost(context, c.req.valid('param').host);
      const { ttlSeconds } = c.req.valid('json');
      const wanted = { hostName: name, replacesHostId: hostId, ttlSeconds };
      return c.json(await createJoinToken(context, wanted), 201);
    },
  );
}

function addRemoveRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/hosts/{host}',
      operationId: 'removeHost',
      tags: ['hosts'],
      summary: 'Forget the host and its history; one that is declared stays listed as unseen',
      request: {
        params,
        query: z.object({
          force: z
            .enum(['true', 'false'])
            .default('false')
            .openapi({ description: 'Also while it is linked: its link ends' }),
        }),
      },
      responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 404, 409, 503, 507) },
    }),
    (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      if (context.hostLife.hasLink(name) && c.req.valid('query').force !== 'true') {
        const fix = 'stop its agent, or revoke the host, or remove it with ?force=true (--force)';
        throw new ApiError('in_use', `host "${name}" is linked`, fix);
      }
      context.hostLife.remove(name);
      return c.body(null, 204);
    },
  );
}

function addClearConflictRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/hosts/{host}/identity-conflict',
      operationId: 'clearIdentityConflict',
      tags: ['hosts'],
      summary: 'Clear the issue identity_in_use, once the second holder of the host’s key was dealt with',
      request: { params },
      responses: { 204: { description: 'Cleared' }, ...problemResponses(401, 404) },
    }),
    (c) => {
      const { name } = findHost(context, c.req.valid('param').host);
      if (!context.hostLife.clearConflict(name)) {
        throw new ApiError('not_found', `nobody else has come with the key of host "${name}"`);
      }
      return c.body(null, 204);
    },
  );
}
