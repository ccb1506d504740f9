import type { DeclaredState, SecretReference } from '../declared-state.js';

/** Every secret that the declared state refers to: only these are read. */
export function listSecretReferences({ providers }: DeclaredState): SecretReference[] {
  return [...providers.values()].flatMap(({ apiKey }) => (apiKey === null ? [] : [apiKey]));
}
