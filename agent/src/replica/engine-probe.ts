import type { Clock, Task } from '@ai-fabric/shared';
import { type EngineRequest, engineHttp } from '../sensors/engine/engine-http.js';
import type { ReplicaStep } from './decide/plan-replica-step.js';
import {
  type EngineAnswer,
  readHealth,
  readModels,
  readProof,
  readVersion,
} from './decide/read-engine-answer.js';
import type { LookResult } from './decide/replica-observation.js';
import { silenceForm } from './silence-form.js';

export type LookStep = Exclude<ReplicaStep, { kind: 'wait' }>;

/** Looks at one engine. `look` never rejects: what goes wrong is a result. */
export interface EngineProbe {
  look(step: LookStep, signal: AbortSignal): Promise<LookResult>;
  close(): void;
}

const LOOK_DEADLINE_MS = 5_000;
/** A first request may compile kernels: up to a minute was seen. */
const PROOF_DEADLINE_MS = 120_000;
const MAX_BYTES = 1024 * 1024;

type Looks = {
  readonly [Kind in LookStep['kind']]: (
    ask: Ask,
    step: Extract<LookStep, { kind: Kind }>,
  ) => Promise<LookResult>;
};

/** One request to the engine. @throws an error with a `code` when no whole answer came */
type Ask = (
  method: 'GET' | 'POST',
  path: string,
  content?: Pick<EngineRequest, 'json' | 'raw'>,
) => Promise<EngineAnswer>;

/** A probe over one kept connection, with deadlines and body limits; redirects are never followed. */
export function engineProbe(
  { url, key = null }: { readonly url: string; readonly key?: string | null },
  clock: Clock,
): EngineProbe {
  const client = engineHttp(clock);
  const keyed = key === null ? {} : { headers: { authorization: `Bearer ${key}` } };
  const base = url.replace(/\/+$/, '').replace(/\/v1$/, '');
  const urls = new Map<string, URL>();
  const urlOf = (path: string): URL => {
    const known = urls.get(path) ?? new URL(`${base}${path}`);
    urls.set(path, known);
    return known;
  };
  return {
    look: async (step, signal) => {
      const ask: Ask = async (method, path, content) => {
        const { status, body } = await client.request({
          method,
          url: urlOf(path),
          ...keyed,
          ...content,
          signal,
          deadlineMs: step.kind === 'prove' ? PROOF_DEADLINE_MS : LOOK_DEADLINE_MS,
          maxBytes: MAX_BYTES,
        });
        return { status, text: body.toString('utf8') };
      };
      try {
        return await take(ask, step);
      } catch (error) {
        return readFailure(error, step, base);
      }
    },
    close: () => client.close(),
  };
}

const looks: Looks = {
  list_models: async (ask) => {
    const listed = readModels(await ask('GET', '/v1/models'));
    if ('kind' in listed) return listed;
    const engineVersion = readVersion(await ask('GET', '/version'));
    return { kind: 'models', models: listed.models, engineVersion };
  },
  check_health: async (ask) => readHealth(await ask('GET', '/health')),
  prove: (ask, { task, model }) => proofs[task](ask, model),
};

const proofs: { readonly [Each in Task]: (ask: Ask, model: string) => Promise<LookResult> } = {
  chat: async (ask, model) => {
    const messages = [{ role: 'user', content: 'ready?' }];
    const chat = await ask('POST', '/v1/chat/completions', { json: { model, messages, max_tokens: 1 } });
    // A base model without a chat template refuses chat, and completes all the same.
    if (chat.status !== 400 && chat.status !== 404) return readProof('chat', '/v1/chat/completions', chat);
    const json = { model, prompt: 'ready?', max_tokens: 1 };
    const completion = await ask('POST', '/v1/completions', { json });
    if (completion.status === 200) return readProof('chat', '/v1/completions', completion);
    return readProof('chat', '/v1/chat/completions', chat);
  },
  embeddings: async (ask, model) => {
    const answer = await ask('POST', '/v1/embeddings', { json: { model, input: 'ready?' } });
    return readProof('embeddings', '/v1/embeddings', answer);
  },
  rerank: async (ask, model) => {
    const json = { model, query: 'ready?', documents: ['ready'] };
    return readProof('rerank', '/v1/rerank', await ask('POST', '/v1/rerank', { json }));
  },
  transcription: async (ask, model) => {
    const answer = await ask('POST', '/v1/audio/transcriptions', { raw: silenceForm(model) });
    return readProof('transcription', '/v1/audio/transcriptions', answer);
  },
};

function take<Kind extends LookStep['kind']>(
  ask: Ask,
  step: Extract<LookStep, { kind: Kind }>,
): Promise<LookResult> {
  const look: Looks[Kind] = looks[step.kind as Kind];
  return look(ask, step);
}

/** Nobody listens: the engine is starting, or not running. Anything else was a connection that came to nothing. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']);

function readFailure(error: unknown, step: LookStep, base: string): LookResult {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const place = URL.canParse(base) ? new URL(base).host : 'its address';
  const detail = `The engine at ${place} ${message}.`;
  if (NOBODY.has(code)) return { kind: 'refused', detail };
  // It took the request and broke off or never answered: that is what a crash at the first token looks like.
  return step.kind === 'prove' ? { kind: 'proof_failed', detail } : { kind: 'silent', detail };
}
