import selfsigned from 'selfsigned';
import type { CertificateName } from './decide/list-certificate-names.js';

const DAY_MS = 24 * 3600 * 1000;
/** Agents pin the certificate: renewing it means joining every host again. */
const VALID_MS = 3652 * DAY_MS;

/** For whom, and from when. */
export interface CertificateWish {
  readonly names: readonly CertificateName[];
  readonly nowMs: number;
}

export interface PemPair {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A new EC P-256 key with a certificate for ten years, from a day ago: clocks of other machines may be behind. */
export async function createSelfSigned(names: readonly CertificateName[], nowMs: number): Promise<PemPair> {
  const made = await selfsigned.generate([{ name: 'commonName', value: 'ai-fabric control plane' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + VALID_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map(({ kind, value }) =>
          kind === 'dns' ? { type: 2 as const, value } : { type: 7 as const, ip: value },
        ),
      },
    ],
  });
  return { certificatePem: made.cert, privateKeyPem: made.private };
}
