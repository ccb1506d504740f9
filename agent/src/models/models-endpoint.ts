import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { huggingFaceModelSchema, modelRevisionSchema } from '@ai-fabric/shared';
import type { AgentEndpoint, AgentQuestion } from '../tunnel/agent-endpoints.js';
import { answerJson, explainFailure } from '../tunnel/answer-json.js';
import { endStream, refuseStream } from '../tunnel/refuse-stream.js';
import type { ModelCache } from './model-cache.js';

/**
 * `GET /agent/v1/models`: what is cached, as JSON. `POST /agent/v1/models/prefetch/ORG/NAME?revision=`: one JSON object a line,
 * until it is `done` or `failed`. `DELETE /agent/v1/models/ORG/NAME`: bytes that are free again.
 */
export function modelsEndpoint(cache: ModelCache): AgentEndpoint {
  return async (stream, question, signal) => {
    const { method, segments } = question;
    if (method === 'GET' && segments.length === 0) {
      await answerJson(stream, async () => ({ models: await cache.list(signal) }));
    } else if (method === 'POST' && segments[0] === 'prefetch') {
      await prefetch(cache, stream, question, signal);
    } else if (method === 'DELETE' && segments.length === 2) {
      const model = readModel(segments);
      if (model === null) refuseStream(stream, 'path_not_allowed', NO_MODEL);
      else await answerJson(stream, async () => ({ freedBytes: await cache.remove(model, signal) }));
    } else refuseStream(stream, 'path_not_allowed', 'GET, POST prefetch/ORG/NAME or DELETE ORG/NAME');
  };
}

const NO_MODEL = 'expected the name of a model, as ORGANISATION/NAME';

function readModel(segments: readonly string[]): string | null {
  const model = huggingFaceModelSchema.safeParse(segments.join('/'));
  return model.success ? model.data : null;
}

async function prefetch(
  cache: ModelCache,
  stream: ServerHttp2Stream,
  { segments, query }: AgentQuestion,
  signal: AbortSignal,
): Promise<void> {
  const model = readModel(segments.slice(1));
  const revision = modelRevisionSchema.nullable().safeParse(query.get('revision'));
  if (model === null || !revision.success) {
    refuseStream(stream, 'path_not_allowed', NO_MODEL);
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' });
  for await (const line of failing(cache.prefetch(model, revision.data, signal))) {
    if (signal.aborted) return;
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, 'drain', { signal });
  }
  endStream(stream);
}

/** What goes wrong after the answer began is its last line. */
async function* failing(lines: AsyncIterable<unknown>): AsyncIterable<unknown> {
  try {
    yield* lines;
  } catch (error) {
    yield { kind: 'failed', ...explainFailure(error) };
  }
}
