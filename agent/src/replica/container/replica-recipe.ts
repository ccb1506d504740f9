import type { ReplicaFit, VllmReplica } from '@ai-fabric/shared';
import type { ContainerSpec } from '../../containers/container-engine.js';
import type { Trouble } from './decide/container-trouble.js';

/** How a declaration becomes a container on this host, and whether it may. */
export interface ReplicaRecipe {
  /**
   * Names what the container is made from: another hash is another container. What is declared stands before a dot, what
   * the host's owner limits behind it, where there is something. @param rung fallbacks in force
   */
  specHash(desired: VllmReplica, rung: number): string;
  /** The rule of the host's owner that forbids it; `null`: none does. */
  refusal(desired: VllmReplica): { readonly rule: string; readonly detail: string } | null;
  /** Is there room, and on which card? `ownBytes`: what its own container holds of a card now, and will give back. */
  fit(desired: VllmReplica, rung: number, signal: AbortSignal): Promise<FitAnswer>;
  /** @throws RecipeError where a reference of the environment leads to nothing */
  build(desired: VllmReplica, rung: number, parts: ContainerParts): Promise<ContainerSpec>;
}

export interface FitAnswer {
  readonly fit: ReplicaFit;
  /** UUIDs of the cards it is to have; empty where it has none, or where none has room. */
  readonly cards: readonly string[];
}

export interface ContainerParts {
  readonly hostId: string;
  readonly key: string;
  readonly cards: readonly string[];
  readonly port: number;
}

/** A declaration that cannot be made into a container on this host. */
export class RecipeError extends Error {
  override readonly name = 'RecipeError';
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.detail);
    this.trouble = trouble;
  }
}
