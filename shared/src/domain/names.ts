import { z } from 'zod';

/** Names of hosts, deployments, providers: what fits a DNS label or a served model name without quoting. */
export const nameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(
    /^[a-z0-9][a-z0-9._-]*$/,
    'lower-case letters, digits, ".", "_" and "-", starting with a letter or digit',
  );

/** Names that clients send as `model`: as above, and `/` for `local/chat` or `openai/strong`. */
export const modelNameSchema = z
  .string()
  .min(1)
  .max(127)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/,
    'letters, digits, ".", "_", ":", "/" and "-", starting with a letter or digit',
  );

/** The SHA-256 of a DER certificate: 64 lower-case hexadecimal digits, no colons. */
export const certificateSha256Schema = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits');

const FINGERPRINT_SEPARATORS = /:/g;

/** Node's `fingerprint256` ("AB:CD:…") to the form used in tokens and proofs. */
export function normaliseCertificateSha256(fingerprint256: string): string {
  return fingerprint256.replace(FINGERPRINT_SEPARATORS, '').toLowerCase();
}
