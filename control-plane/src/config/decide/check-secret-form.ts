import type { SecretResult } from '../secret-result.js';

export const MAX_SECRET_BYTES = 16 * 1024;
/** Visible ASCII: what an Authorization header may hold. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/** @param place as a message names it */
export function checkSecretForm(text: string, place: string): SecretResult {
  if (text.length <= MAX_SECRET_BYTES && HEADER_SAFE.test(text)) return { ok: true, value: text };
  const what =
    text === '' ? 'is empty' : 'holds more than a key: a line break, a space or a character beyond ASCII';
  return { ok: false, code: 'malformed', detail: `${place} ${what}; put the key alone there` };
}
