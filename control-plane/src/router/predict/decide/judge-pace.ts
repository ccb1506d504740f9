import type { Prediction, ReplicaLoad } from '../predict-types.js';

export interface PaceSettings {
  /** Prompt tokens that one replica is given ahead. */
  readonly aheadTokens: number;
  /** A start sooner than this is never worth a wait. */
  readonly leastStartSeconds: number;
  /** A paced replica is waited for where its cost is less than this share of the best of the others. */
  readonly worthRatio: number;
}

/**
 * Whether a replica has enough to read for now. What it is not given yet waits in the router and goes to whoever is
 * free first: that forgives wrong rates, wrong estimates and load nobody told of, since nothing is bound before it must.
 *
 * The backlog counts raw, without what is believed done of it: that belief is what is to be forgiven.
 */
export function isPaced(load: ReplicaLoad, prediction: Prediction, settings: PaceSettings): boolean {
  return (
    load.prefilling > 0 &&
    load.backlogTokens + prediction.uncachedTokens > settings.aheadTokens &&
    prediction.startSeconds > settings.leastStartSeconds
  );
}
