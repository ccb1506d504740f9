import type { ListedModel } from '../../router/route-types.js';

/** A model as OpenAI lists it, with vLLM's `max_model_len` and what the fabric knows of it. */
export interface PresentedModel {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly max_model_len?: number;
  readonly fabric: {
    readonly kind: ListedModel['kind'];
    readonly task: ListedModel['task'];
    readonly state: ListedModel['state'];
    readonly servedBy: string | null;
    /** Seconds until a host that sleeps or is being woken would serve it; left out: there is none, or nothing is known. */
    readonly readyInSeconds?: number;
  };
}

/** @param createdSeconds OpenAI's clients want a time; a model of the fabric has none, so the gateway's start is told */
export function presentModel(model: ListedModel, createdSeconds: number): PresentedModel {
  const { id, kind, task, state, servedBy, contextTokens, readyInSeconds } = model;
  return {
    id,
    object: 'model',
    created: createdSeconds,
    owned_by: 'ai-fabric',
    ...(contextTokens === null ? {} : { max_model_len: contextTokens }),
    fabric: { kind, task, state, servedBy, ...(readyInSeconds === null ? {} : { readyInSeconds }) },
  };
}

export function presentModels(models: readonly ListedModel[], createdSeconds: number): string {
  return JSON.stringify({ object: 'list', data: models.map((model) => presentModel(model, createdSeconds)) });
}
