import type { Environment } from '../environment.js';
import type { SecretResult } from '../secret-result.js';
import { checkSecretForm } from './check-secret-form.js';

/** The only source that cannot change while the process runs. */
export function readVariable(env: Environment, name: string): SecretResult {
  const text = (Object.hasOwn(env, name) ? env[name] : undefined)?.trim() ?? '';
  if (text !== '') return checkSecretForm(text, `the environment variable ${name}`);
  const detail = `the environment variable ${name} is not set; set it where the control plane is started, and restart it`;
  return { ok: false, code: 'env_missing', detail };
}
