import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, normaliseCertificateSha256 } from '@ai-fabric/shared';
import type { DataDirectoryLayout } from '../config/data-directory-layout.js';
import { askOnce, type Reply } from '../gateway/upstream/ask-once.js';
import type { AskFact, CertificateFact, DiskFact } from './check-facts.js';

/** Longer than any healthy answer to a listing takes. */
const ASK_TIMEOUT_MS = 5_000;

/** Asks for a models listing: it costs nothing, proves a key, and shows what is served. */
export async function askModels(baseUrl: string, bearer: string | null, clock: Clock): Promise<AskFact> {
  const reply = await askOnce(
    {
      method: 'GET',
      url: `${baseUrl}/models`,
      headers: {
        accept: 'application/json',
        'user-agent': 'ai-fabric',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body: null,
      timeoutMs: ASK_TIMEOUT_MS,
    },
    clock,
  );
  return toFact(reply, clock.nowMs());
}

function toFact(reply: Reply, nowMs: number): AskFact {
  const { tookMs } = reply;
  if (reply.kind === 'failed') {
    return { kind: 'failed', code: reply.failure.code, detail: reply.failure.detail, tookMs };
  }
  const date = Date.parse(String(reply.headers['date'] ?? ''));
  return {
    kind: 'answered',
    status: reply.status,
    tookMs,
    modelIds: modelIdsOf(reply.body),
    clockSkewMs: Number.isNaN(date) ? null : nowMs - date,
  };
}

function modelIdsOf(body: string): readonly string[] | null {
  try {
    const { data } = JSON.parse(body) as { readonly data?: unknown };
    if (!Array.isArray(data)) return null;
    return data.flatMap((each: { readonly id?: unknown }) => (typeof each?.id === 'string' ? [each.id] : []));
  } catch {
    return null;
  }
}

export async function readDisk(directory: string, layout: DataDirectoryLayout): Promise<DiskFact> {
  const { bavail, blocks, bsize } = await statfs(directory);
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return {
    directory,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    registryBytes: sizeOf(layout.registryFile) + sizeOf(`${layout.registryFile}-wal`),
  };
}

/** @returns `null` when there is none that can be read */
export function readCertificate(
  directory: string,
): Omit<CertificateFact, 'hostName' | 'onDiskSha256' | 'directory'> | null {
  try {
    return describeCertificate(readFileSync(join(directory, 'certificate.pem'), 'utf8'));
  } catch {
    return null;
  }
}

export function describeCertificate(
  pem: string,
): Omit<CertificateFact, 'hostName' | 'onDiskSha256' | 'directory'> {
  const leaf = new X509Certificate(pem);
  const names = (leaf.subjectAltName ?? '').split(', ').map((each) => each.replace(/^[^:]*:/, ''));
  return {
    expiresAtMs: Date.parse(leaf.validTo),
    names: names.map((name) => name.toLowerCase()),
    certificateSha256: normaliseCertificateSha256(leaf.fingerprint256),
  };
}
