import type { Task } from '@ai-fabric/shared';
import type { SecretReference } from '../../declared/declared-state.js';
import type { ImportNote, LitellmConfig, LitellmModel } from './litellm-config.js';
import { type PlacedModel, placeModel } from './place-model.js';

/** An entry of `model_list` that can be carried over. */
export interface CarriedModel extends LitellmModel {
  readonly placed: Exclude<PlacedModel, { kind: 'none' }>;
  readonly task: Task;
  readonly apiKey: SecretReference | null;
}

const TASKS: Readonly<Record<string, Task>> = {
  chat: 'chat',
  completion: 'chat',
  responses: 'chat',
  embedding: 'embeddings',
};
const EMBEDDING_NAME = /embed|(^|[/-])(bge|e5|gte|minilm)([-_]|$)/i;
const VARIABLE = /^[A-Z_][A-Z0-9_]{0,99}$/;
/** What people write where an engine wants no key. */
const NO_KEY = /^(|none|null|empty|dummy|fake.*|not-?needed|no-?key|na|n\/a|x+|sk-1234)$/i;

export function carryModels(config: LitellmConfig): {
  readonly models: readonly CarriedModel[];
  readonly notes: readonly ImportNote[];
} {
  const models: CarriedModel[] = [];
  const notes: ImportNote[] = [];
  for (const model of config.models) {
    const placed = placeModel(model, config.environment);
    const mode = model.info['mode'];
    const task = typeof mode === 'string' ? TASKS[mode] : guessTask(placed);
    if (placed.kind === 'none') {
      notes.push({ path: model.path, kind: 'no_counterpart', message: `"${model.group}": ${placed.why}` });
    } else if (task === undefined) {
      const message = `"${model.group}" is for ${String(mode)}; there are roles for chat and embeddings`;
      notes.push({ path: model.path, kind: 'no_counterpart', message });
    } else {
      const key = readKey(model, placed);
      models.push({ ...model, placed, task, apiKey: key.apiKey });
      notes.push(...key.notes);
    }
  }
  return { models, notes };
}

function guessTask(placed: PlacedModel): Task {
  return placed.kind !== 'none' && EMBEDDING_NAME.test(placed.model) ? 'embeddings' : 'chat';
}

interface ReadKey {
  readonly apiKey: SecretReference | null;
  readonly notes: readonly ImportNote[];
}

/** A key is carried over as a reference, never as itself. */
function readKey({ params, path, group }: LitellmModel, placed: CarriedModel['placed']): ReadKey {
  const given = params['api_key'];
  const at = [...path, 'litellm_params', 'api_key'];
  const written = typeof given === 'string' ? given : '';
  if (placed.kind === 'engine') {
    if (NO_KEY.test(written)) return { apiKey: null, notes: [] };
    const message = `the engine of "${group}" has a key, and an external engine is reached without one: start it without --api-key, bound to an address that only your hosts reach`;
    return { apiKey: null, notes: [{ path: at, kind: 'no_counterpart', message }] };
  }
  const variable = /^os\.environ\/(.+)$/.exec(written)?.[1];
  if (variable !== undefined && VARIABLE.test(variable)) return { apiKey: { env: variable }, notes: [] };
  const env = placed.keyVariable ?? `${placed.label.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_API_KEY`;
  const apiKey = { env: VARIABLE.test(env) ? env : `PROVIDER_${env}` };
  if (variable !== undefined) {
    const message = `names of variables are upper case here: give the key as ${apiKey.env}`;
    return { apiKey, notes: [{ path: at, kind: 'review', message }] };
  }
  if (NO_KEY.test(written)) {
    if (placed.keyVariable !== null) return { apiKey, notes: [] };
    return { apiKey: null, notes: [{ path, kind: 'review', message: `no key is given for "${group}"` }] };
  }
  const message = `the key itself stands in LiteLLM's file: put it, or better a new one, into the variable ${apiKey.env}`;
  return { apiKey, notes: [{ path: at, kind: 'review', message }] };
}
