import { modelIdentity } from '../../declared/decide/desired-replica.js';
import type { CandidateGroup } from '../candidate.js';

/**
 * The one model that an embeddings request may be served by: that of the first target, whether or not it can
 * serve now. Vectors of different models do not match, and an index filled from two of them is silently wrong;
 * no answer is better.
 *
 * @returns the model as its makers, an external engine or the provider call it, or `null` without targets
 */
export function pinnedModel(groups: readonly CandidateGroup[]): string | null {
  const first = groups[0];
  if (first === undefined) return null;
  if (first.kind === 'provider') return first.candidate.model.model;
  const deployment = first.candidates[0]?.deployment;
  return deployment === undefined ? null : modelIdentity(deployment);
}
