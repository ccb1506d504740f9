import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ExplainedRequest, LoggedRequest } from '../../registry/request-types.js';
import type { ApiContext } from '../api-context.js';
import { explainRequest } from '../decide/explain-request.js';
import { instantSchema } from '../instant-schema.js';
import { type CursorQuery, decodeCursor, encodeCursor, pageQuerySchema } from '../pagination.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';
import { explainedRequestSchema, requestBodySchema, requestPageSchema } from '../request-schemas.js';

const MAX_NAME_LENGTH = 256;
const filterName = z.string().min(1).max(MAX_NAME_LENGTH).optional();

const querySchema = pageQuerySchema.extend({
  role: filterName,
  key: filterName,
  host: filterName,
  failed: z
    .enum(['true', 'false'])
    .optional()
    .openapi({ description: 'Only those that did not end well; a client that left is no failure' }),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  afterSequence: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .openapi({ description: 'Oldest first, those after this one: to follow. Not together with `cursor`' }),
});

export function addRequestRoutes(app: OpenAPIHono, context: ApiContext): void {
  addListRoute(app, context);
  addBodyRoute(app, context);
  app.openapi(
    createRoute({
      method: 'get',
      path: '/requests/{id}',
      operationId: 'getRequest',
      tags: ['requests'],
      summary: 'A request by its x-request-id: why here, and why not there',
      description:
        'Where clients choose their ids, the latest one counts. A request is written some moments after its end; until then its `sequence` is 0. The last 100,000 are known even where the registry could not write them.',
      request: { params: z.object({ id: z.string() }) },
      responses: {
        200: {
          description: 'The request',
          content: { 'application/json': { schema: explainedRequestSchema } },
        },
        ...problemResponses(401, 404, 503),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const found = laterOf(
        await context.reader.query('request', { requestId: id }),
        context.decisions.find(id),
      );
      if (found === null) {
        throw new ApiError(
          'not_found',
          `no request "${id}" is in the log: it is not over yet, or too long ago`,
          'list them: ai-fabric requests',
        );
      }
      const { consideredCount: _, rounds, ...request } = found;
      const kept = rounds?.map(({ others, ...round }) => ({
        ...round,
        considered: round.considered.map((each) => ({ ...each })),
        ...(others === undefined ? {} : { others: others.map((each) => ({ ...each })) }),
      }));
      const { whyHere, whyNotThere } = explainRequest(found);
      const explanation = { whyHere, whyNotThere: [...whyNotThere], rounds: kept ?? null };
      return c.json({ ...request, explanation }, 200);
    },
  );
}

/** A row in the registry that tells nothing of its rounds may have lost them there. */
function laterOf(written: ExplainedRequest | null, recent: ExplainedRequest | null): ExplainedRequest | null {
  if (written === null || recent === null) return written ?? recent;
  if (recent.endedAtMs > written.endedAtMs) return recent;
  return { ...written, rounds: written.rounds ?? recent.rounds };
}

function addBodyRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/requests/{id}/body',
      operationId: 'getRequestBody',
      tags: ['requests'],
      summary: 'What a request and its answer said, where its key keeps that',
      description: 'At most 64 KiB of each. A key keeps bodies only when its `keepBodiesDays` says so.',
      request: { params: z.object({ id: z.string() }) },
      responses: {
        200: { description: 'The body', content: { 'application/json': { schema: requestBodySchema } } },
        ...problemResponses(401, 404, 503),
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const logged = await context.reader.query('request', { requestId: id });
      const body = logged === null ? null : await context.bodies.find(id, logged.endedAtMs);
      if (body === null) {
        throw new ApiError(
          'not_found',
          `nothing is kept of what the request "${id}" said`,
          'a key keeps bodies of the requests to come: ai-fabric keys permit KEY --keep-bodies 7d',
        );
      }
      const { requestId, endedAtMs, request, answer } = body;
      return c.json({ requestId, endedAtMs, request: { ...request }, answer: { ...answer } }, 200);
    },
  );
}

function addListRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/requests',
      operationId: 'listRequests',
      tags: ['requests'],
      summary: 'Requests to the gateway that are over, newest first',
      request: { query: querySchema },
      responses: {
        200: { description: 'A page', content: { 'application/json': { schema: requestPageSchema } } },
        ...problemResponses(400, 401, 503),
      },
    }),
    async (c) => {
      const { limit, cursor, afterSequence, failed, from: fromMs, to: toMs, ...names } = c.req.valid('query');
      const filters = { ...names, failed, from: fromMs, to: toMs };
      const listing: CursorQuery = { listing: 'listRequests', filters };
      if (cursor !== undefined && afterSequence !== undefined) {
        throw new ApiError('invalid', 'query: "cursor" and "afterSequence" exclude each other');
      }
      const before = decodeCursor(listing, cursor, z.tuple([z.int()]));
      const page = await context.reader.query('requestPage', {
        ...{ ...names, failed: failed === 'true', fromMs, toMs, limit, afterSequence },
        beforeSequence: before?.[0],
      });
      const { nextSequence, newestSequence } = page;
      const nextCursor = nextSequence === null ? null : encodeCursor(listing, [nextSequence]);
      const items = page.rows.map((row: LoggedRequest) => ({ ...row }));
      return c.json({ items, nextCursor, newestSequence }, 200);
    },
  );
}
