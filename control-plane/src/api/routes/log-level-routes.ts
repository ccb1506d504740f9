import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { problemResponses } from '../problem-responses.js';
import { logLevelSchema } from '../schemas.js';

const content = { 'application/json': { schema: logLevelSchema } };

export function addLogLevelRoutes(app: OpenAPIHono, { logLevel }: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/log-level',
      operationId: 'getLogLevel',
      tags: ['control plane'],
      summary: 'The level of the log',
      responses: { 200: { description: 'The level', content }, ...problemResponses(401) },
    }),
    (c) => c.json({ level: logLevel.current }, 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/log-level',
      operationId: 'setLogLevel',
      tags: ['control plane'],
      summary: 'Changes the level of the log, of all rooms at once, until the program ends',
      request: { body: { required: true, content } },
      responses: { 200: { description: 'The level from now on', content }, ...problemResponses(400, 401) },
    }),
    (c) => {
      logLevel.change(c.req.valid('json').level);
      return c.json({ level: logLevel.current }, 200);
    },
  );
}
