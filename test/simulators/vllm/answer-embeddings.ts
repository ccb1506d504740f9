import { randomUUID } from 'node:crypto';
import { countTokens } from '../common/reply-text.js';
import { sendJson } from '../common/reply-writer.js';
import { embeddingRequestSchema, inputTexts } from '../common/request-bodies.js';
import { seededUnitVector, vectorToBase64 } from '../common/seeded.js';
import { badRequest } from './errors.js';
import { wireFaults } from './faults.js';
import { type Exchange, parseBody, replyBudget, requireRunner, servedModel, submit } from './serving.js';

/**
 * `POST /v1/embeddings`. A vector depends on the weights (`root`) and the input: two models never agree, two
 * replicas of one model always do.
 */
export async function answerEmbeddings(exchange: Exchange): Promise<void> {
  const { settings, engine, response } = exchange;
  requireRunner(settings, 'pooling', 'Embeddings');
  const body = parseBody(exchange, embeddingRequestSchema);
  const model = servedModel(settings, body.model);
  if (typeof body.dimensions === 'number') {
    throw badRequest(`Model "${model}" does not support matryoshka representation`, 'dimensions');
  }
  const inputs = inputTexts(body.input);
  const counts = inputs.map(countTokens);
  for (const tokens of counts) replyBudget(settings, tokens, null);
  const promptTokens = counts.reduce((sum, tokens) => sum + tokens, 0);
  // An embedding is a prefill and nothing after it: one step of the engine.
  const sequence = submit(exchange, { prompt: inputs.join('\n'), promptTokens, outputTokens: 1 });
  if (!(await engine.run(sequence, 'stop', async () => true))) return;
  const data = inputs.map((input, index) => {
    const vector = seededUnitVector(`${settings.root}\n${input}`, settings.embeddingDimensions);
    const embedding = body.encoding_format === 'base64' ? vectorToBase64(vector) : [...vector];
    return { index, object: 'embedding', embedding };
  });
  const reply = {
    id: `embd-${randomUUID()}`,
    object: 'list',
    created: Math.floor(settings.clock.nowMs() / 1000),
    model,
    data,
    usage: {
      prompt_tokens: promptTokens,
      total_tokens: promptTokens,
      completion_tokens: 0,
      prompt_tokens_details: null,
    },
  };
  await sendJson(response, 200, reply, { faults: wireFaults(exchange.fault) });
}
