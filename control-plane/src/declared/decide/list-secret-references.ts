import type { DeclaredState, SecretReference } from '../declared-state.js';

/** Every secret that the declared state refers to: only these are read. */
export function listSecretReferences({ providers, checks }: DeclaredState): SecretReference[] {
  const { url = null, secret = null } = checks.webhook ?? {};
  const keys = [...providers.values()].map(({ apiKey }) => apiKey);
  return [...keys, url, secret].filter((each) => each !== null && typeof each !== 'string');
}
