import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PrivateFiles, StateFileError } from './private-files.js';

/** This host's Ed25519 key. The private half never leaves this object. */
export interface HostKey {
  /** DER SPKI, base64. */
  readonly publicKey: string;
  /** Ed25519 over the text's UTF-8, base64. */
  sign(text: string): string;
}

const FILE = 'host-key.pem';

/**
 * Reads the key, or makes it on the first start.
 *
 * @param credentials where a service manager may have put it; one that is there is the one
 * @throws StateFileError
 */
export async function loadHostKey(
  directory: string,
  files: PrivateFiles,
  credentials: string | null = null,
): Promise<HostKey> {
  const given = credentials === null ? null : await readCredential(join(credentials, FILE));
  if (given !== null) return given;
  const path = join(directory, FILE);
  const pem = await files.read(path);
  if (pem !== null) return hostKey(readKey(pem, path));
  const { privateKey } = generateKeyPairSync('ed25519');
  await files.write(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return hostKey(privateKey);
}

/** systemd lets nobody else read it; whose it is and what its mode says differs from one version to the next. */
async function readCredential(path: string): Promise<HostKey | null> {
  const pem = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new StateFileError(
      `${path}, the key that the service is given, cannot be read (${error.code}). Fix: ai-fabric-agent install`,
    );
  });
  return pem === null ? null : hostKey(readKey(pem, path));
}

function readKey(pem: string, path: string): KeyObject {
  let key: KeyObject | null = null;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The parser's own message may quote what it read: it stays here.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new StateFileError(
    `${path} does not hold an Ed25519 key. Put back a backup of it, or delete it and join again: the host then gets a new identity.`,
  );
}

function hostKey(privateKey: KeyObject): HostKey {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    publicKey,
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), privateKey).toString('base64'),
  };
}
