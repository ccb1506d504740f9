import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { readTime } from '../../history/decide/read-time.js';
import type { ApiContext } from '../api-context.js';
import { findDeployment } from '../find-deployment.js';
import type { HostStreams } from '../host-streams.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';

/** Not a literal: the types take whatever ends in "json" for one JSON value. */
const MEDIA_TYPE: string = 'application/x-ndjson';
const MAX_TAIL_LINES = 100_000;

export function addLogRoutes(app: OpenAPIHono, context: ApiContext, streams: HostStreams): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/deployments/{deployment}/logs',
      operationId: 'readDeploymentLogs',
      tags: ['deployments'],
      summary: 'The log of a deployment’s container, as its host’s agent reads it: one JSON object a line',
      request: {
        params: z.object({ deployment: z.string().openapi({ param: { name: 'deployment', in: 'path' } }) }),
        query: z.object({
          follow: z
            .enum(['true', 'false'])
            .default('false')
            .openapi({ description: 'Go on with what it writes, until the caller leaves' }),
          since: z.string().max(40).optional().openapi({
            description: 'An age as 90s, 10m, 2h; ISO 8601; or milliseconds since 1970',
          }),
          tail: z.coerce
            .number()
            .int()
            .min(0)
            .max(MAX_TAIL_LINES)
            .optional()
            .openapi({ description: 'No more than the last so many lines of what is there' }),
        }),
      },
      responses: {
        200: {
          description: 'Lines as {"atMs":…,"stream":"stdout","text":"…"}',
          content: { [MEDIA_TYPE]: { schema: z.string() } },
        },
        ...problemResponses(400, 401, 404, 409, 502, 503, 504),
      },
    }),
    async (c) => {
      const deployment = findDeployment(context, c.req.valid('param').deployment);
      if (deployment.engine === 'external') {
        const detail = `deployment "${deployment.name}" has an external engine: its log is where it is run`;
        throw new ApiError('not_managed', detail, 'look into the log of that engine on its host');
      }
      const { follow, since, tail } = c.req.valid('query');
      const question = queryOf(follow === 'true', toMoment(since, context.clock.nowMs()), tail);
      const path = `/agent/v1/logs/${encodeURIComponent(deployment.name)}?${question}`;
      const lines = await streams.open(deployment.host, { method: 'GET', path }, c.req.raw.signal);
      return new Response(lines, {
        status: 200,
        headers: { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store' },
      });
    },
  );
}

function toMoment(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const atMs = readTime(text, nowMs);
  if (atMs !== null) return Math.max(0, Math.round(atMs));
  throw new ApiError('invalid', 'query since: expected an age as 90s, 10m, 2h, or ISO 8601');
}

function queryOf(follow: boolean, sinceMs: number | undefined, tailLines: number | undefined): string {
  const query = new URLSearchParams({ follow: follow ? '1' : '0' });
  if (sinceMs !== undefined) query.set('sinceMs', String(sinceMs));
  if (tailLines !== undefined) query.set('tailLines', String(tailLines));
  return query.toString();
}
