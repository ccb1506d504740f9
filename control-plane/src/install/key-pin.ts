import { createHash, X509Certificate } from 'node:crypto';

/** @returns SHA-256 of a certificate's public key (DER SPKI), base64: what curl takes as `--pinnedpubkey sha256//…` */
export function keyPinOf(certificatePem: string): string {
  const spki = new X509Certificate(certificatePem).publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest('base64');
}
