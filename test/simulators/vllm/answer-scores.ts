import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { countTokens } from '../common/reply-text.js';
import { sendJson } from '../common/reply-writer.js';
import { hashText } from '../common/seeded.js';
import { badRequest } from './errors.js';
import { wireFaults } from './faults.js';
import { type Exchange, parseBody, replyBudget, requireRunner, servedModel, submit } from './serving.js';

const textsSchema = z.union([z.string(), z.array(z.string())]);
const modelField = { model: z.string().nullish() };

const rerankSchema = z.looseObject({
  ...modelField,
  query: z.string(),
  documents: z.array(z.string()),
  top_n: z.int().min(0).default(0),
});

const scoreSchema = z.union([
  z.looseObject({ ...modelField, text_1: textsSchema, text_2: textsSchema }),
  z
    .looseObject({ ...modelField, queries: textsSchema, documents: textsSchema })
    .transform(({ queries, documents, ...rest }) => ({ ...rest, text_1: queries, text_2: documents })),
]);

/** `POST /v1/rerank`: the documents, best first. */
export async function answerRerank(exchange: Exchange): Promise<void> {
  const body = parseBody(exchange, rerankSchema);
  const model = servedModel(exchange.settings, body.model);
  const scored = await score(
    exchange,
    'Rerank',
    body.documents.map((document) => [body.query, document] as const),
  );
  if (scored === null) return;
  const results = body.documents
    .map((text, index) => ({ index, document: { text }, relevance_score: scored.scores[index] ?? 0 }))
    .sort((one, other) => other.relevance_score - one.relevance_score)
    .slice(0, body.top_n === 0 ? undefined : body.top_n);
  const usage = { prompt_tokens: scored.tokens, total_tokens: scored.tokens };
  const reply = { id: `rerank-${randomUUID()}`, model, usage, results };
  await sendJson(exchange.response, 200, reply, { faults: wireFaults(exchange.fault) });
}

/** `POST /v1/score`: one against each, or pair by pair. */
export async function answerScore(exchange: Exchange): Promise<void> {
  const { settings, response, fault } = exchange;
  const body = parseBody(exchange, scoreSchema);
  const model = servedModel(settings, body.model);
  const ones = [body.text_1].flat();
  const others = [body.text_2].flat();
  if (ones.length > 1 && ones.length !== others.length) {
    throw badRequest('Input lengths must be either 1:1, 1:N or N:N');
  }
  const scored = await score(
    exchange,
    'Score',
    others.map((other, index) => [ones[ones.length === 1 ? 0 : index] ?? '', other] as const),
  );
  if (scored === null) return;
  const { tokens } = scored;
  const reply = {
    ...{
      id: `score-${randomUUID()}`,
      object: 'list',
      created: Math.floor(settings.clock.nowMs() / 1000),
      model,
    },
    data: scored.scores.map((each, index) => ({ index, object: 'score', score: each })),
    usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0, prompt_tokens_details: null },
  };
  await sendJson(response, 200, reply, { faults: wireFaults(fault) });
}

/** The same pair has the same score everywhere where the weights are the same. `null`: the client left. */
async function score(
  exchange: Exchange,
  api: string,
  pairs: readonly (readonly [string, string])[],
): Promise<{ readonly scores: readonly number[]; readonly tokens: number } | null> {
  const { settings, engine } = exchange;
  requireRunner(settings, ['pooling', 'scoring'], api);
  const counts = pairs.map((pair) => countTokens(pair.join('\n')));
  for (const tokens of counts) replyBudget(settings, tokens, null);
  const promptTokens = counts.reduce((sum, tokens) => sum + tokens, 0);
  const prompt = pairs.map((pair) => pair.join('\n')).join('\n');
  const sequence = submit(exchange, { prompt, promptTokens, outputTokens: 1 });
  if (!(await engine.run(sequence, 'stop', async () => true))) return null;
  const scores = pairs.map((pair) => (hashText(`${settings.root}\n${pair.join('\n')}`) % 10_000) / 10_000);
  return { scores, tokens: promptTokens };
}
