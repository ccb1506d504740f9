import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { keyProofText } from '@ai-fabric/shared';
import type { Hello } from './decide/link-lifecycle.js';

/**
 * Checks that a hello was signed with the key that it names, for this challenge and this certificate.
 *
 * @returns `publicKey`: the key in the one form that the registry stores (DER SPKI, base64), however the peer wrote
 *   it; `null` for anything that does not hold
 */
export function verifyKeyProof(
  hello: Hello,
  nonce: string,
  certificateSha256: string,
): { readonly publicKey: string } | null {
  const key = readPublicKey(hello.publicKey);
  if (!key) return null;
  const text = keyProofText({
    nonce,
    certificateSha256,
    publicKey: hello.publicKey,
    instanceId: hello.instanceId,
  });
  const holds = verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(hello.proof, 'base64'));
  return holds ? { publicKey: key.export({ type: 'spki', format: 'der' }).toString('base64') } : null;
}

function readPublicKey(base64: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    // Anything may stand there: bytes that are no key are a proof that does not hold.
    return null;
  }
}
