import type { SecretReference } from '../../declared/declared-state.js';

/** Where a secret is, in one line: for a log, and as its identity. */
export function describeReference(reference: SecretReference): string {
  if ('env' in reference) return `env ${reference.env}`;
  if ('file' in reference) return `file ${reference.file}`;
  if ('credential' in reference) return `credential ${reference.credential}`;
  const { vault, secret } = reference.azureKeyVault;
  return `azureKeyVault ${vault} ${secret}`;
}
