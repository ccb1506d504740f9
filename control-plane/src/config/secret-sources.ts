import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretReference } from '../declared/declared-state.js';
import type { AzureKeyVault } from './azure-key-vault.js';
import { checkSecretForm, MAX_SECRET_BYTES } from './decide/check-secret-form.js';
import { readVariable } from './decide/read-variable.js';
import type { SecretLook } from './decide/take-look.js';
import type { Environment } from './environment.js';
import type { SecretFailure, SecretProblem, SecretResult } from './secret-result.js';

/** Looks at the place of a secret. Never rejects. `version`: of what was read last; where it still is the same, `null` is the answer. */
export type LookAt = (reference: SecretReference, version: string | null) => Promise<SecretLook | null>;

export interface SecretSourceParts {
  readonly env: Environment;
  readonly keyVault: Pick<AzureKeyVault, 'read'>;
  readonly platform?: NodeJS.Platform;
}

const READABLE_BY_OTHERS = 0o007;

export function createSecretSources({
  env,
  keyVault,
  platform = process.platform,
}: SecretSourceParts): LookAt {
  return async (reference, version) => {
    if ('env' in reference) return read(readVariable(env, reference.env));
    if ('file' in reference) return await lookAtFile(reference.file, version, platform);
    if ('azureKeyVault' in reference) return read(await keyVault.read(reference.azureKeyVault));
    const directory = env['CREDENTIALS_DIRECTORY'];
    if (directory) return await lookAtFile(join(directory, reference.credential), version, platform);
    const detail =
      `there are no systemd credentials; set LoadCredential=${reference.credential}:FILE in the unit that ` +
      'starts the control plane, and restart it';
    return read(failure('credentials_missing', detail));
  };
}

async function lookAtFile(
  file: string,
  lastVersion: string | null,
  platform: NodeJS.Platform,
): Promise<SecretLook | null> {
  try {
    const facts = await stat(file);
    const { mtimeMs, ctimeMs, size, mode, ino } = facts;
    const version = `${mtimeMs} ${ctimeMs} ${size} ${mode} ${ino}`;
    if (lastVersion === version) return null;
    // Who reads from a pipe may wait for ever.
    if (!facts.isFile()) return read(failure('file_unreadable', `${file} is no file; put the key into one`));
    if (platform !== 'win32' && (mode & READABLE_BY_OTHERS) !== 0) {
      const detail = `${file} can be read by every user of this machine; run: chmod 600 ${file}`;
      return read(failure('file_readable_by_others', detail));
    }
    if (size > MAX_SECRET_BYTES) {
      const detail = `${file} holds ${size} bytes; expected a file with nothing but the key`;
      return read(failure('malformed', detail));
    }
    const text = await readFile(file, 'utf8');
    return { result: checkSecretForm(text.trim(), file), version };
  } catch (error) {
    return read(explain(error, file));
  }
}

function explain(error: unknown, file: string): SecretFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return failure('file_missing', `${file} does not exist; put the key there`);
  }
  const detail = `${file} cannot be read (${code}); give the user that runs the control plane read access`;
  return failure('file_unreadable', detail);
}

function read(result: SecretResult): SecretLook {
  return { result, version: null };
}

function failure(code: SecretProblem, detail: string): SecretFailure {
  return { ok: false, code, detail };
}
