import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type KeyProofParts, keyProofText } from '@ai-fabric/shared';

/** What a peer shows of its key. */
export interface ShownKey {
  readonly publicKey: string;
  readonly instanceId: string;
  readonly proof: string;
}

/**
 * Checks that a hello was signed with the key that it names, for this challenge and this certificate.
 *
 * @param textOf what was to be signed: the link's text, or another use's
 * @returns `publicKey`: the key in the one form that the registry stores (DER SPKI, base64), however the peer wrote
 *   it; `null` for anything that does not hold
 */
export function verifyKeyProof(
  { publicKey, instanceId, proof }: ShownKey,
  nonce: string,
  certificateSha256: string,
  textOf: (parts: KeyProofParts) => string = keyProofText,
): { readonly publicKey: string } | null {
  const key = readPublicKey(publicKey);
  if (!key) return null;
  const text = textOf({ nonce, certificateSha256, publicKey, instanceId });
  const holds = verify(null, Buffer.from(text, 'utf8'), key, Buffer.from(proof, 'base64'));
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
