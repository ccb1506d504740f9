import type { CandidateGroup } from '../candidate.js';

/**
 * The one model that an embeddings request may be served by: that of the first target, whether or not it can
 * serve now. Vectors of different models do not match, and an index filled from two of them is silently wrong;
 * no answer is better.
 *
 * @returns the model as the engine or provider calls it, or `null` without targets
 */
export function pinnedModel(groups: readonly CandidateGroup[]): string | null {
  const first = groups[0];
  if (first === undefined) return null;
  if (first.kind === 'provider') return first.candidate.model.model;
  return first.candidates[0]?.deployment.servedModel ?? null;
}
