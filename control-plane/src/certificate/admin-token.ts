import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { CredentialError, toCredentialError } from './credential-error.js';
import { isOpenToOthers, writePrivateFile } from './private-file.js';

export interface AdminToken {
  /** Where the token is: shown to the operator instead of the token. */
  readonly file: string;
  /** Whether this start made it. */
  readonly created: boolean;
  /** Takes the same time for every wrong token. */
  verify(presented: string): boolean;
}

/** Long enough that nobody guesses it, whoever chose it. */
const TOKEN = /^[\x21-\x7e]{32,512}$/;

/**
 * Reads the admin token, making one at the first start: `aifa_` and 256 random bits, in a file for its owner alone.
 *
 * @throws {CredentialError} when the file cannot be used; the message never holds the token
 */
export function openAdminToken(file: string, platform: NodeJS.Platform = process.platform): AdminToken {
  try {
    const created = createOnce(file);
    if (isOpenToOthers(statSync(file).mode, platform)) {
      throw new CredentialError(file, 'the admin token can be read by others', `run: chmod 600 ${file}`);
    }
    const token = readFileSync(file, 'utf8').trim();
    if (!TOKEN.test(token)) {
      const fix = 'delete the file and start again: a new token is made then';
      throw new CredentialError(file, 'holds no admin token (expected 32 to 512 visible characters)', fix);
    }
    const expected = sha256(token);
    return { file, created, verify: (presented) => timingSafeEqual(sha256(presented), expected) };
  } catch (error) {
    throw toCredentialError(error, file);
  }
}

function createOnce(file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false })) return false;
  writePrivateFile(file, `aifa_${randomBytes(32).toString('base64url')}\n`);
  return true;
}

/** Digests have one length, which `timingSafeEqual` asks for. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
