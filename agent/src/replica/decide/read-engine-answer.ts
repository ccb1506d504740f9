import type { Task } from '@ai-fabric/shared';
import { z } from 'zod';
import { clipText } from '../../sensors/decide/describe-issue.js';
import type { LookResult, ServedModel } from './replica-observation.js';

export interface EngineAnswer {
  readonly status: number;
  readonly text: string;
}

const modelsSchema = z.object({
  data: z
    .array(z.object({ id: z.string(), max_model_len: z.number().int().positive().nullish().catch(null) }))
    .max(1_000),
});
const versionSchema = z.object({ version: z.string().min(1) });
const completionSchema = z.object({
  choices: z.array(z.unknown()).min(1),
  usage: z.object({ completion_tokens: z.number().nullish() }).nullish(),
});
const embeddingsSchema = z.object({
  data: z.array(z.object({ embedding: z.array(z.number()).min(1) })).min(1),
});
const rerankSchema = z.object({ results: z.array(z.object({ relevance_score: z.number() })).min(1) });
const transcriptSchema = z.object({ text: z.string() });
const errorSchema = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });
const flatErrorSchema = z.object({ object: z.literal('error'), message: z.string() });

/** What `GET /v1/models` says; a `LookResult` of another kind when it says something else. */
export function readModels(
  answer: EngineAnswer,
): { models: readonly ServedModel[] } | Extract<LookResult, { kind: 'odd' }> {
  if (answer.status !== 200) return odd('GET /v1/models', answer);
  const parsed = modelsSchema.safeParse(parseJson(answer.text));
  if (!parsed.success) return odd('GET /v1/models', answer);
  return {
    models: parsed.data.data.map(({ id, max_model_len }) => ({ id, maxModelLen: max_model_len ?? null })),
  };
}

/** What `GET /version` says; `null` where an engine has no such page. */
export function readVersion(answer: EngineAnswer): string | null {
  const version =
    answer.status === 200 ? versionSchema.safeParse(parseJson(answer.text)).data?.version : undefined;
  return version === undefined ? null : clipText(version, 80) || null;
}

/** vLLM's `/health` is 503 only when the engine process is dead; engines without such a page answer 404, and live. */
export function readHealth(answer: EngineAnswer): LookResult {
  return answer.status < 300 || (answer.status >= 400 && answer.status < 500)
    ? { kind: 'healthy' }
    : odd('GET /health', answer);
}

/** Whether a proof's answer holds a token, or an embedding. */
export function readProof(task: Task, path: string, answer: EngineAnswer): LookResult {
  if (answer.status === 503 || answer.status === 429) {
    return {
      kind: 'full',
      detail: `The engine takes no more requests right now (${answer.status}): ${said(answer)}`,
    };
  }
  if (answer.status !== 200) return { kind: 'proof_failed', detail: describe(`POST ${path}`, answer) };
  return readers[task](path, answer);
}

const readers: { readonly [Each in Task]: (path: string, answer: EngineAnswer) => LookResult } = {
  chat: readToken,
  embeddings: readEmbedding,
  rerank: readScore,
  transcription: readTranscript,
};

function readToken(path: string, answer: EngineAnswer): LookResult {
  const parsed = completionSchema.safeParse(parseJson(answer.text));
  const tokens = parsed.data?.usage?.completion_tokens ?? 1;
  if (parsed.success && tokens >= 1) return { kind: 'proved' };
  return { kind: 'proof_failed', detail: `POST ${path} brought no token: ${said(answer)}` };
}

function readEmbedding(path: string, answer: EngineAnswer): LookResult {
  // A card that computes nonsense gives NaN, which JSON writes as null: the schema takes numbers alone.
  const parsed = embeddingsSchema.safeParse(parseJson(answer.text));
  if (parsed.success) return { kind: 'proved' };
  return { kind: 'proof_failed', detail: `POST ${path} brought no embedding: ${said(answer)}` };
}

function readScore(path: string, answer: EngineAnswer): LookResult {
  const parsed = rerankSchema.safeParse(parseJson(answer.text));
  if (parsed.success) return { kind: 'proved' };
  return { kind: 'proof_failed', detail: `POST ${path} brought no score: ${said(answer)}` };
}

/** What silence is transcribed to is up to the model: that there is a text, be it empty, is the proof. */
function readTranscript(path: string, answer: EngineAnswer): LookResult {
  const parsed = transcriptSchema.safeParse(parseJson(answer.text));
  if (parsed.success) return { kind: 'proved' };
  return { kind: 'proof_failed', detail: `POST ${path} brought no text: ${said(answer)}` };
}

function odd(request: string, answer: EngineAnswer): Extract<LookResult, { kind: 'odd' }> {
  return { kind: 'odd', detail: describe(request, answer) };
}

function describe(request: string, answer: EngineAnswer): string {
  if (answer.status >= 300 && answer.status < 400) {
    return `${request} answered ${answer.status}: a redirect, which is not followed. Is this the engine's own address?`;
  }
  const key = answer.status === 401 || answer.status === 403 ? ' The engine wants a key.' : '';
  return `${request} answered ${answer.status}: ${said(answer)}${key}`;
}

/** The engine's own words, or the beginning of whatever it sent. */
function said({ text }: EngineAnswer): string {
  const json = parseJson(text);
  const error = errorSchema.safeParse(json).data?.error;
  const message = typeof error === 'object' ? error.message : error;
  const words = clipText(message ?? flatErrorSchema.safeParse(json).data?.message ?? text, 200);
  return words === '' ? 'an empty body.' : words;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
