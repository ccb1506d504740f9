import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import {
  MAX_MANIFEST_BYTES,
  RELEASE_FORMAT,
  type ReleaseManifest,
  releaseManifestSchema,
} from './release-manifest.js';

export type ReleaseRefusal = 'manifest_damaged' | 'signature_missing' | 'signature_wrong' | 'format_unknown';

export interface SignatureFault {
  readonly code: 'signature_missing' | 'signature_wrong';
  readonly detail: string;
}

export type ReleaseVerdict =
  | {
      readonly ok: true;
      readonly manifest: ReleaseManifest;
      /** By the key that was given. */
      readonly signed: boolean;
    }
  | { readonly ok: false; readonly code: ReleaseRefusal; readonly detail: string };

const formatSchema = z.object({ format: z.int() });

/**
 * Judges a release by its manifest. With a key nothing of the manifest is read before its signature is proven; without
 * one (a development build) any manifest that is whole is taken, and said to be unsigned.
 *
 * @param manifestBytes the file as it is
 * @param signatureText `manifest.sig`: base64 of an Ed25519 signature over those bytes; `null` where there is none
 * @param releaseKeyPem the public half, PEM; `null` in a development build
 */
export function verifyRelease(
  manifestBytes: Uint8Array,
  signatureText: string | null,
  releaseKeyPem: string | null,
): ReleaseVerdict {
  if (manifestBytes.length > MAX_MANIFEST_BYTES) {
    return refuse('manifest_damaged', `the manifest has more than ${MAX_MANIFEST_BYTES} bytes`);
  }
  if (releaseKeyPem !== null) {
    const fault = judgeSignature(manifestBytes, signatureText, releaseKeyPem);
    if (fault !== null) return { ok: false, ...fault };
  }
  return readManifest(manifestBytes, releaseKeyPem);
}

/** @returns the SHA-256 of a public key's DER SPKI, hex: what a manifest calls `keySha256` */
export function releaseKeySha256(releaseKeyPem: string): string {
  const der = createPublicKey(releaseKeyPem).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(der).digest('hex');
}

/**
 * Proves that who has the release key signed these very bytes.
 *
 * @param signatureText base64 of an Ed25519 signature; `null` where there is none
 * @param releaseKeyPem the public half, PEM
 * @returns `null`: it did
 */
export function judgeSignature(
  bytes: Uint8Array,
  signatureText: string | null,
  releaseKeyPem: string,
): SignatureFault | null {
  if (signatureText === null || signatureText.trim() === '') {
    const detail = 'the release is not signed, and this program takes signed ones alone';
    return { code: 'signature_missing', detail };
  }
  const wrong = (detail: string): SignatureFault => ({ code: 'signature_wrong', detail });
  const key = readKey(releaseKeyPem);
  if (key === null) return wrong('the release key of this program is no Ed25519 key');
  const text = signatureText.trim();
  const signature = Buffer.from(text, 'base64');
  // What follows an end of base64 is passed over by its reader, and would be no signature of ours.
  return signature.toString('base64') === text && verify(null, bytes, key, signature)
    ? null
    : wrong('its signature is not by the release key of this program');
}

function readKey(pem: string): KeyObject | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}

function readManifest(bytes: Uint8Array, releaseKeyPem: string | null): ReleaseVerdict {
  const json = parseJson(bytes);
  const told = formatSchema.safeParse(json);
  if (!told.success) return refuse('manifest_damaged', 'the manifest is no manifest of a release');
  const { format } = told.data;
  if (format !== RELEASE_FORMAT) {
    const detail = `the manifest has format ${format}, and this program reads ${RELEASE_FORMAT} alone`;
    return refuse('format_unknown', detail);
  }
  const read = releaseManifestSchema.safeParse(json);
  if (!read.success) {
    const { path = [], message = 'it is unreadable' } = read.error.issues[0] ?? {};
    return refuse(
      'manifest_damaged',
      `the manifest is damaged at ${path.join('.') || 'its root'}: ${message}`,
    );
  }
  return { ok: true, manifest: read.data, signed: releaseKeyPem !== null };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function refuse(code: ReleaseRefusal, detail: string): ReleaseVerdict {
  return { ok: false, code, detail };
}
