import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SetupFailure } from '../checkout/setup-failure.mjs';

/**
 * @typedef {object} ReleaseKey
 * @property {string} publicPem SPKI: what is built into the programs
 * @property {(content: Buffer) => string} sign base64
 */

/**
 * @param {string} file PEM, PKCS 8, Ed25519: `openssl genpkey -algorithm ed25519 -out FILE`
 * @returns {ReleaseKey}
 * @throws {SetupFailure} where it is none; nothing of the file is told
 */
export function readReleaseKey(file) {
  const pem = readPem(file);
  const privateKey = parseKey(pem, file);
  const publicPem = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString();
  return { publicPem, sign: (content) => sign(null, content, privateKey).toString('base64') };
}

/** @param {string} file */
function readPem(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown';
    throw new SetupFailure(`The release key ${file} cannot be read (${code}).`, 2);
  }
}

/**
 * @param {Buffer} pem
 * @param {string} file
 */
function parseKey(pem, file) {
  const advice = `Make one with: openssl genpkey -algorithm ed25519 -out ${file}`;
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new SetupFailure(`${file} holds no private key in PEM without a password.\n${advice}`, 2);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new SetupFailure(
    `${file} holds a key of another kind than Ed25519 (${key.asymmetricKeyType}).\n${advice}`,
    2,
  );
}
