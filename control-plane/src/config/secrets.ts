import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '@ai-fabric/shared';
import type { SecretReference } from '../declared/declared-state.js';
import type { Environment } from './environment.js';

export type SecretProblem =
  | 'env_missing'
  | 'file_missing'
  | 'file_unreadable'
  | 'file_readable_by_others'
  /** Empty, too long, or with characters that no header may hold. */
  | 'malformed';

export type SecretResult =
  | { readonly ok: true; readonly value: string }
  /** `detail` names the place and the fix, never the value. */
  | { readonly ok: false; readonly code: SecretProblem; readonly detail: string };

export interface SecretReader {
  read(reference: SecretReference): SecretResult;
  has(reference: SecretReference): boolean;
}

export interface SecretReaderParts {
  /** The process's environment as it was at start. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly platform?: NodeJS.Platform;
}

/** Files are looked at again this often: a key that was replaced works within seconds, a request costs no disk. */
const LOOK_AGAIN_MS = 5_000;
const MAX_REMEMBERED = 256;
const MAX_SECRET_BYTES = 16 * 1024;
/** Visible ASCII: what an Authorization header may hold. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;
const READABLE_BY_OTHERS = 0o007;

interface Remembered {
  readonly result: SecretResult;
  readonly version: string;
  readonly lookedAtMs: number;
}

/** Reads secrets where the declared state says that they are. Nothing is written anywhere, least of all a log. */
export function createSecretReader(parts: SecretReaderParts): SecretReader {
  const remembered = new Map<string, Remembered>();
  const read = (reference: SecretReference): SecretResult => {
    if ('env' in reference) return readVariable(parts.env, reference.env);
    return readFileAgain(parts, remembered, reference.file);
  };
  return { read, has: (reference) => read(reference).ok };
}

function readVariable(env: Environment, name: string): SecretResult {
  const text = (Object.hasOwn(env, name) ? env[name] : undefined)?.trim() ?? '';
  if (text !== '') return checkForm(text, `the environment variable ${name}`);
  const detail = `the environment variable ${name} is not set; set it where the control plane is started, and restart it`;
  return { ok: false, code: 'env_missing', detail };
}

function readFileAgain(
  { clock, platform = process.platform }: SecretReaderParts,
  remembered: Map<string, Remembered>,
  file: string,
): SecretResult {
  const nowMs = clock.monotonicMs();
  const before = remembered.get(file);
  if (before && nowMs - before.lookedAtMs < LOOK_AGAIN_MS) return before.result;
  const { version, result } = lookAt(file, platform, before);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(file, { version, result, lookedAtMs: nowMs });
  return result;
}

function lookAt(
  file: string,
  platform: NodeJS.Platform,
  before: Remembered | undefined,
): { readonly version: string; readonly result: SecretResult } {
  try {
    const { mtimeMs, ctimeMs, size, mode, ino } = statSync(file);
    const version = `${mtimeMs} ${ctimeMs} ${size} ${mode} ${ino}`;
    if (before?.version === version) return { version, result: before.result };
    if (platform !== 'win32' && (mode & READABLE_BY_OTHERS) !== 0) {
      const detail = `${file} can be read by every user of this machine; run: chmod 600 ${file}`;
      return { version, result: { ok: false, code: 'file_readable_by_others', detail } };
    }
    if (size > MAX_SECRET_BYTES) {
      const detail = `${file} holds ${size} bytes; expected a file with nothing but the key`;
      return { version, result: { ok: false, code: 'malformed', detail } };
    }
    return { version, result: checkForm(readFileSync(file, 'utf8').trim(), file) };
  } catch (error) {
    return { version: 'none', result: explain(error, file) };
  }
}

function checkForm(text: string, place: string): SecretResult {
  if (text.length <= MAX_SECRET_BYTES && HEADER_SAFE.test(text)) return { ok: true, value: text };
  const what =
    text === '' ? 'is empty' : 'holds more than a key: a line break, a space or a character beyond ASCII';
  return { ok: false, code: 'malformed', detail: `${place} ${what}; put the key alone there` };
}

function explain(error: unknown, file: string): SecretResult {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { ok: false, code: 'file_missing', detail: `${file} does not exist; put the key there` };
  }
  const detail = `${file} cannot be read (${code}); give the user that runs the control plane read access`;
  return { ok: false, code: 'file_unreadable', detail };
}
