import { PROTOCOL_VERSION } from '@ai-fabric/shared';
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { VERSION } from '../../version.js';
import type { ApiContext } from '../api-context.js';
import { problemResponses } from '../problem-responses.js';
import { statusSchema } from '../schemas.js';

export function addControlPlaneRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/status',
      operationId: 'getStatus',
      tags: ['control plane'],
      summary: 'The control plane itself',
      responses: {
        200: { description: 'Status', content: { 'application/json': { schema: statusSchema } } },
        ...problemResponses(401),
      },
    }),
    (c) =>
      c.json(
        {
          ...context.status(),
          version: VERSION,
          protocolVersion: PROTOCOL_VERSION,
          declaredRevision: context.declared.current().revision,
          certificateSha256: context.certificateSha256,
        },
        200,
      ),
  );
}
