import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { TypedResponse } from 'hono';
import { encodeAnswer } from '../../history/decide/encode-answer.js';
import { MAX_POINTS } from '../../history/decide/plan-telemetry-query.js';
import { readDuration, readTime } from '../../history/decide/read-time.js';
import { selectFields } from '../../history/decide/select-fields.js';
import type { ApiContext } from '../api-context.js';
import { findHost } from '../describe-host.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { hostTelemetrySchema } from '../telemetry-schemas.js';
import { hostParam } from './host-routes.js';

const TIME = 'milliseconds since 1970, ISO 8601, "now", or an age like 90s, 15m, 24h, 30d';

const querySchema = z.object({
  from: z
    .string()
    .max(40)
    .optional()
    .openapi({ description: `${TIME}; default 15m before "to"`, example: '24h' }),
  to: z
    .string()
    .max(40)
    .optional()
    .openapi({ description: `${TIME}; default now`, example: 'now' }),
  step: z
    .string()
    .max(20)
    .optional()
    .openapi({
      description: `Time of one point: seconds, or as 30s, 10m, 2h; at most ${MAX_POINTS} points. Default: some 600 points`,
      example: '10m',
    }),
  fields: z.string().max(2_000).optional().openapi({
    description: 'Names after commas: "gpu.powerWatts" one field, "gpu" all of cards; default all',
    example: 'gpu.utilisationRatio,gpu.powerWatts',
  }),
});

export function addTelemetryRoutes(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}/telemetry',
      operationId: 'getHostTelemetry',
      tags: ['hosts'],
      summary: 'What a host, its cards and its replicas did: up to 400 days back, never interpolated',
      request: { params: hostParam, query: querySchema },
      responses: {
        200: { description: 'Points', content: { 'application/json': { schema: hostTelemetrySchema } } },
        ...problemResponses(400, 401, 404, 503),
      },
    }),
    async (c) => {
      const { name } = findHost(context, c.req.valid('param').host);
      const { from, to, step, fields } = c.req.valid('query');
      const nowMs = context.clock.nowMs();
      const selected = selectFields(fields);
      if (!selected.ok) throw new ApiError('invalid', selected.detail, selected.fix);
      const range = {
        fromMs: time('from', from, nowMs),
        toMs: time('to', to, nowMs),
        stepMs: step === undefined ? null : duration(step),
      };
      const result = await context.telemetry.query(name, range, selected.selection);
      if (!result.ok) throw new ApiError('invalid', result.detail, result.fix);
      return jsonAnswer(encodeAnswer(result.answer));
    },
  );
}

/** What is JSON already, in the place of `c.json`. */
function jsonAnswer(json: Uint8Array): TypedResponse<z.infer<typeof hostTelemetrySchema>, 200, 'json'> {
  const response: Response = new Response(json, { headers: { 'content-type': 'application/json' } });
  return response as Response & TypedResponse<z.infer<typeof hostTelemetrySchema>, 200, 'json'>;
}

function time(name: string, text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const timeMs = readTime(text, nowMs);
  if (timeMs === null) throw new ApiError('invalid', `"${name}" is no time: "${text}"`, `write ${TIME}`);
  return timeMs;
}

function duration(text: string): number {
  const ms = readDuration(text);
  if (ms === null)
    throw new ApiError('invalid', `"step" is no length of time: "${text}"`, 'write 30s, 10m or 2h');
  return ms;
}
