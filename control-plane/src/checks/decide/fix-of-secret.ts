import type { SecretProblem } from '../../config/secret-result.js';
import type { SecretReference } from '../../declared/declared-state.js';

/** What mends a secret that cannot be read, by what is wrong with its place. */
export function fixOfSecret(reference: SecretReference, problem: SecretProblem): string {
  if ('credential' in reference && (problem === 'credentials_missing' || problem === 'file_missing')) {
    return `set LoadCredential=${reference.credential}:FILE in the unit that starts the control plane, and restart it`;
  }
  const place = placeOf(reference);
  switch (problem) {
    case 'env_missing':
      return `set ${place} where the control plane is started, and restart it`;
    case 'file_missing':
    case 'vault_secret_missing':
      return `put the key into ${place}`;
    case 'file_readable_by_others':
      return `chmod 600 ${place}`;
    case 'file_unreadable':
      return `give the user that runs the control plane read access to ${place}`;
    case 'credentials_missing':
      return 'let systemd start the control plane, with LoadCredential= in its unit';
    case 'vault_unreachable':
      return `look at this machine's way to ${place}`;
    case 'vault_refused':
      return 'give the identity of the control plane the role "Key Vault Secrets User"';
    case 'malformed':
      return `put the key alone into ${place}: one line, without spaces`;
    case 'not_read_yet':
      return 'ask again in a moment';
    default:
      return problem satisfies never;
  }
}

function placeOf(reference: SecretReference): string {
  if ('env' in reference) return reference.env;
  if ('file' in reference) return reference.file;
  if ('credential' in reference) return `the credential ${reference.credential}`;
  const { vault, secret } = reference.azureKeyVault;
  return `the secret ${secret} of ${vault}`;
}
