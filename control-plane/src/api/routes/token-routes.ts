import { nameSchema } from '@ai-fabric/shared';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { createJoinToken, ttlSecondsSchema } from '../join-token.js';
import { newestFirst, pageOfItems, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { joinTokenSchema, listOf, newJoinTokenSchema } from '../schemas.js';

export function addTokenRoutes(app: OpenAPIHono, context: ApiContext): void {
  addCreateRoute(app, context);
  app.openapi(
    createRoute({
      method: 'get',
      path: '/join-tokens',
      operationId: 'listJoinTokens',
      tags: ['join tokens'],
      summary: 'Join tokens and what became of them, newest first; never their secrets',
      request: { query: pageQuerySchema },
      responses: {
        200: {
          description: 'Join tokens',
          content: { 'application/json': { schema: listOf(joinTokenSchema) } },
        },
        ...problemResponses(400, 401),
      },
    }),
    (c) => {
      const tokens = context.tokens.list(context.clock.nowMs());
      return c.json(
        pageOfItems(tokens, c.req.valid('query'), { listing: 'listJoinTokens' }, newestFirst),
        200,
      );
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/join-tokens/{id}',
      operationId: 'revokeJoinToken',
      tags: ['join tokens'],
      summary: 'Revoke a join token that was not used yet',
      request: { params: z.object({ id: z.string() }) },
      responses: { 204: { description: 'Revoked' }, ...problemResponses(401, 404, 503, 507) },
    }),
    (c) => {
      const { id } = c.req.valid('param');
      if (!context.tokens.revoke(id, context.clock.nowMs())) {
        throw new ApiError(
          'not_found',
          `no unused join token has the id "${id}"`,
          'list them: ai-fabric token list',
        );
      }
      return c.body(null, 204);
    },
  );
}

function addCreateRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/join-tokens',
      operationId: 'createJoinToken',
      tags: ['join tokens'],
      summary: 'Make a join token: single use, shown once',
      request: {
        body: {
          content: {
            'application/json': {
              schema: z.strictObject({
                /** Binds the token to this host name. */
                hostName: nameSchema.optional(),
                ttlSeconds: ttlSecondsSchema,
              }),
            },
          },
        },
      },
      responses: {
        201: { description: 'The token', content: { 'application/json': { schema: newJoinTokenSchema } } },
        ...problemResponses(400, 401, 503, 507),
      },
    }),
    async (c) => {
      const { hostName, ttlSeconds } = c.req.valid('json');
      return c.json(await createJoinToken(context, { hostName, ttlSeconds }), 201);
    },
  );
}
