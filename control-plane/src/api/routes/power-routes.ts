import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { reckonPower } from '../decide/reckon-power.js';
import { instantSchema } from '../instant-schema.js';
import { powerReportSchema } from '../power-schemas.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';

const DEFAULT_SPAN_MS = 7 * 86_400_000;
const MOST_WAKES = 50;
const MOST_EVENTS = 200;

export function addPowerRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/power',
      operationId: 'getPower',
      tags: ['hosts'],
      summary: 'Where hosts’ hours went, what they drew and cost, and what each wake was for',
      description:
        'Days are of UTC and count whole. Without `from`: the last 7 days. The latest 50 wakes and 200 changes of state.',
      request: { query: z.object({ from: instantSchema.optional(), to: instantSchema.optional() }) },
      responses: {
        200: { description: 'The report', content: { 'application/json': { schema: powerReportSchema } } },
        ...problemResponses(400, 401, 503),
      },
    }),
    async (c) => {
      const { from, to } = c.req.valid('query');
      const nowMs = context.clock.nowMs();
      const toMs = to ?? nowMs + 1;
      const fromMs = from ?? Math.max(0, toMs - DEFAULT_SPAN_MS);
      if (fromMs > toMs) throw new ApiError('invalid', 'query: "from" is after "to"');
      const range = { fromMs, toMs };
      const history = await context.reader.query('power', {
        ...range,
        ...{ mostWakes: MOST_WAKES, mostEvents: MOST_EVENTS },
      });
      return c.json(reckonPower(history, context.declared.current(), range, Math.min(nowMs, toMs)), 200);
    },
  );
}
