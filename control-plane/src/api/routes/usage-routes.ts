import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { unpackUsage } from '../../registry/decide/usage-table.js';
import { USAGE_DIMENSIONS, type UsageRow } from '../../registry/request-types.js';
import type { ApiContext } from '../api-context.js';
import { instantSchema } from '../instant-schema.js';
import { type CursorQuery, decodeCursor, pageOfRows, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { usageSchema } from '../request-schemas.js';
import { listOf } from '../schemas.js';

const DEFAULT_SPAN_MS = { hour: 24 * 3_600_000, day: 30 * 86_400_000 } as const;

export function addUsageRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/usage',
      operationId: 'listUsage',
      tags: ['requests'],
      summary: 'Requests, tokens and times by hour or day, oldest first',
      description:
        'Hours are kept for 90 days, days for 800. Buckets are of UTC; the last one is still growing. Without `from`: the last 24 hours, or 30 days.',
      request: {
        query: pageQuerySchema.extend({
          by: z.enum(USAGE_DIMENSIONS).default('role'),
          per: z.enum(['hour', 'day']).default('hour'),
          from: instantSchema.optional(),
          to: instantSchema.optional(),
        }),
      },
      responses: {
        200: {
          description: 'A page',
          content: { 'application/json': { schema: listOf(usageSchema) } },
        },
        ...problemResponses(400, 401, 503),
      },
    }),
    async (c) => {
      const { limit, cursor, by, per, from, to } = c.req.valid('query');
      const listing: CursorQuery = { listing: 'listUsage', filters: { by, per, from, to } };
      const after = decodeCursor(listing, cursor, z.tuple([z.int(), z.int()]));
      const toMs = to ?? context.clock.nowMs() + 1;
      const fromMs = from ?? Math.max(0, toMs - DEFAULT_SPAN_MS[per]);
      if (fromMs > toMs) throw new ApiError('invalid', 'query: "from" is after "to"');
      const table = await context.reader.query('usage', {
        ...{ by, per, fromMs, toMs, limit: limit + 1 },
        after: after === null ? null : { bucketStartMs: after[0], nameId: after[1] },
      });
      const page = pageOfRows(unpackUsage(table), limit, listing, (row) => [row.bucketStartMs, row.nameId]);
      return c.json({ items: page.items.map(present), nextCursor: page.nextCursor }, 200);
    },
  );
}

function present(row: UsageRow): z.infer<typeof usageSchema> {
  const { nameId: _, totalMs, queueMs, ttftMs, ttftCount, ...counts } = row;
  return {
    ...counts,
    meanTotalMs: mean(totalMs, row.requests),
    meanQueueMs: mean(queueMs, row.requests),
    meanTtftMs: mean(ttftMs, ttftCount),
  };
}

function mean(sum: number, count: number): number | null {
  return count === 0 ? null : Math.round((sum / count) * 10) / 10;
}
