import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { decodeCursor, pageOfRows, pageQuerySchema } from '../pagination.js';
import { problemResponses } from '../problem-responses.js';
import { auditEntrySchema, listOf } from '../schemas.js';

const timeSchema = z.coerce.number().int().min(0).optional();
const positionSchema = z.tuple([z.int()]);

export function addAuditRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/audit',
      operationId: 'listAuditEntries',
      tags: ['audit'],
      summary: 'Who changed what through this API, newest first; never a secret',
      request: {
        query: z.object({
          operationId: z.string().max(100).optional().openapi({ example: 'drainHost' }),
          actor: z.string().max(200).optional(),
          fromMs: timeSchema.openapi({ description: 'Milliseconds since 1970' }),
          toMs: timeSchema.openapi({ description: 'Milliseconds since 1970' }),
          ...pageQuerySchema.shape,
        }),
      },
      responses: {
        200: {
          description: 'Writes',
          content: { 'application/json': { schema: listOf(auditEntrySchema) } },
        },
        ...problemResponses(400, 401),
      },
    }),
    (c) => {
      const { limit, cursor, ...filters } = c.req.valid('query');
      const query = { listing: 'listAuditEntries', filters };
      const [beforeId] = decodeCursor(query, cursor, positionSchema) ?? [];
      const rows = context.writes.list({ ...filters, beforeId, limit: limit + 1 });
      return c.json(
        pageOfRows(rows, limit, query, ({ id }) => [id]),
        200,
      );
    },
  );
}
