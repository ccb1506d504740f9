import { huggingFaceModelSchema, modelRevisionSchema } from '@ai-fabric/shared';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiContext } from '../api-context.js';
import { askHost, readAtMost } from '../ask-host.js';
import { findJoinedHost } from '../describe-host.js';
import type { HostRequest } from '../host-calls.js';
import type { HostStreams } from '../host-streams.js';
import { cachedModelsSchema, modelRemovedSchema, modelsAnswerSchema } from '../model-schemas.js';
import { ApiError } from '../problem.js';
import { problemResponses } from '../problem-responses.js';

/** Not a literal: the types take whatever ends in "json" for one JSON value. */
const MEDIA_TYPE: string = 'application/x-ndjson';
/** A container is started for each question. */
const ANSWER_DEADLINE_MS = 60_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const hostParam = z.string().openapi({ param: { name: 'host', in: 'path' }, example: 'armitage' });
const tags = ['hosts'];

/** The model files of a host, as its agent finds them in the engine's cache. */
export function addModelRoutes(app: OpenAPIHono, context: ApiContext, streams: HostStreams): void {
  addListRoute(app, context);
  addPrefetchRoute(app, context, streams);
  addRemoveRoute(app, context);
}

function addListRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/hosts/{host}/models',
      operationId: 'listHostModels',
      tags,
      summary: 'The models that are cached on a host, and how large they are',
      request: { params: z.object({ host: hostParam }) },
      responses: {
        200: { description: 'Models', content: { 'application/json': { schema: cachedModelsSchema } } },
        ...problemResponses(401, 404, 502, 503, 504),
      },
    }),
    async (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const answer = await ask(context, name, { method: 'GET', path: '/agent/v1/models' }, c.req.raw.signal);
      const { models } = parse(name, answer, modelsAnswerSchema);
      return c.json({ models, totalBytes: models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }, 200);
    },
  );
}

function addPrefetchRoute(app: OpenAPIHono, context: ApiContext, streams: HostStreams): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/hosts/{host}/models/prefetch',
      operationId: 'prefetchModel',
      tags,
      summary:
        'Fetch a model into a host’s cache, while the caller listens: one JSON object a line, the last "done" or "failed"',
      request: {
        params: z.object({ host: hostParam }),
        body: {
          content: {
            'application/json': {
              schema: z.strictObject({
                model: huggingFaceModelSchema,
                revision: modelRevisionSchema.optional(),
              }),
            },
          },
        },
      },
      responses: {
        200: {
          description: 'Lines as {"kind":"progress","doneBytes":…,"totalBytes":…}',
          content: { [MEDIA_TYPE]: { schema: z.string() } },
        },
        ...problemResponses(400, 401, 404, 502, 503, 504),
      },
    }),
    async (c) => {
      const { name } = findJoinedHost(context, c.req.valid('param').host);
      const { model, revision } = c.req.valid('json');
      const query = revision === undefined ? '' : `?${new URLSearchParams({ revision })}`;
      const path = `/agent/v1/models/prefetch/${model}${query}`;
      const lines = await streams.open(name, { method: 'POST', path }, c.req.raw.signal);
      return new Response(lines, {
        status: 200,
        headers: { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store' },
      });
    },
  );
}

function addRemoveRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/hosts/{host}/models/{organisation}/{model}',
      operationId: 'removeModel',
      tags,
      summary: 'Remove a model from a host’s cache; refused while a deployment there loads it',
      request: {
        params: z.object({
          host: hostParam,
          organisation: z.string().openapi({ param: { name: 'organisation', in: 'path' }, example: 'Qwen' }),
          model: z.string().openapi({ param: { name: 'model', in: 'path' } }),
        }),
      },
      responses: {
        200: {
          description: 'What is free again',
          content: { 'application/json': { schema: modelRemovedSchema } },
        },
        ...problemResponses(400, 401, 404, 409, 502, 503, 504),
      },
    }),
    async (c) => {
      const { host, organisation, model } = c.req.valid('param');
      const { name } = findJoinedHost(context, host);
      const named = huggingFaceModelSchema.safeParse(`${organisation}/${model}`);
      if (!named.success) throw new ApiError('invalid', 'expected a Hugging Face model, "organisation/name"');
      const path = `/agent/v1/models/${named.data}`;
      const answer = await ask(context, name, { method: 'DELETE', path }, c.req.raw.signal);
      return c.json(parse(name, answer, modelRemovedSchema), 200);
    },
  );
}

async function ask(
  { hostCalls, clock }: ApiContext,
  host: string,
  request: HostRequest,
  signal: AbortSignal,
): Promise<string> {
  const { body } = await askHost(hostCalls, host, request, {
    ...{ signal, clock, deadlineMs: ANSWER_DEADLINE_MS },
  });
  return readAtMost(body, MAX_ANSWER_BYTES);
}

/** What an agent says is checked as everything is that comes from outside. */
function parse<Value>(host: string, text: string, schema: z.ZodType<Value>): Value {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new ApiError('host_failed', `the agent of ${host} answered what is no answer to this`);
  }
}
