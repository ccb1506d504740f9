import { z } from 'zod';
import { countTokens, tokenPieces } from '../common/reply-text.js';
import { begin, sendJson } from '../common/reply-writer.js';
import { chatRequestSchema, renderPrompt } from '../common/request-bodies.js';
import { hashText } from '../common/seeded.js';
import { renderMetrics } from './metrics-text.js';
import type { RecordedAnswer } from './options.js';
import { type Exchange, parseBody, servedModel } from './serving.js';

const VOCABULARY = 150_000;
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const tokenizeSchema = z.union([
  z.looseObject({ model: z.string().nullish(), prompt: z.string() }),
  chatRequestSchema.pick({ model: true, messages: true }),
]);

/** `GET /health`: an empty 200, and 503 only once the engine process is dead. */
export async function answerHealth({ engine, response }: Exchange): Promise<void> {
  begin(response, engine.dead ? 503 : 200, { 'content-length': '0' });
  response.end();
}

export function answerVersion({ settings, response }: Exchange): Promise<void> {
  if (settings.recorded !== null) return sayAgain(settings.recorded.version, 'application/json', response);
  return sendJson(response, 200, { version: settings.version });
}

export function answerModels({ settings, engine, response }: Exchange): Promise<void> {
  if (settings.recorded !== null) return sayAgain(settings.recorded.models, 'application/json', response);
  const data = settings.models.map((id) => ({
    id,
    object: 'model',
    created: Math.floor(engine.startedAtMs / 1000),
    owned_by: 'vllm',
    root: settings.root,
    parent: null,
    max_model_len: settings.maxModelLen,
    permission: [],
  }));
  return sendJson(response, 200, { object: 'list', data });
}

export async function answerMetrics({ settings, engine, response }: Exchange): Promise<void> {
  if (settings.recorded !== null) return sayAgain(settings.recorded.metrics, METRICS_TYPE, response);
  const text = renderMetrics({
    model: settings.model,
    startedAtMs: engine.startedAtMs,
    gauges: engine.shownGauges(),
    counters: engine.counters,
    blockTokens: settings.blockTokens,
    gpuBlocks: settings.gpuBlocks,
    prefixCaching: settings.prefixCaching,
    olderNames: settings.olderMetricNames,
  });
  begin(response, 200, { 'content-type': METRICS_TYPE });
  response.end(text);
}

async function sayAgain(
  { status, text }: RecordedAnswer,
  type: string,
  response: Exchange['response'],
): Promise<void> {
  begin(response, status, { 'content-type': type });
  response.end(text);
}

/** `POST /tokenize`: ids that stay the same for the same piece of text. */
export function answerTokenize(exchange: Exchange): Promise<void> {
  const { settings, response } = exchange;
  const body = parseBody(exchange, tokenizeSchema);
  servedModel(settings, body.model);
  const text = 'prompt' in body ? String(body.prompt) : renderPrompt(body.messages);
  const tokens = tokenPieces(text).map((piece) => hashText(piece) % VOCABULARY);
  return sendJson(response, 200, {
    count: countTokens(text),
    max_model_len: settings.maxModelLen,
    tokens: tokens.slice(0, countTokens(text)),
    token_strs: null,
  });
}
