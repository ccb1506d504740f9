import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Clock } from '@ai-fabric/shared';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { checkIntegrity } from '../registry/check-integrity.js';
import { readCheckRecords } from './check-records.js';
import { isProblem } from './decide/compare-findings.js';
import { judgeCertificate, judgeDisk, judgeIntegrity } from './decide/judge-control-plane.js';
import { type DirectoryFacts, judgeStoppedControlPlane } from './decide/judge-stopped-control-plane.js';
import type { Finding } from './finding.js';
import { readCertificate, readDisk } from './gather-facts.js';

const INTEGRITY_DEADLINE_MS = 8_000;

/** What a data directory tells while its control plane does not: what it looks like, and what was known last. */
export async function inspectDataDirectory(dataDirectory: string, clock: Clock): Promise<Finding[]> {
  const layout = dataDirectoryLayout(dataDirectory);
  const nowMs = clock.nowMs();
  const registryWrittenAtMs = writtenAtMs(layout.registryFile);
  const facts: DirectoryFacts = {
    directory: dataDirectory,
    exists: writtenAtMs(dataDirectory) !== null,
    process: processFact(layout.processIdFile),
    registryWrittenAtMs,
  };
  const findings = [judgeStoppedControlPlane(facts, nowMs)];
  if (registryWrittenAtMs === null) return findings;
  findings.push(
    judgeIntegrity(
      await checkIntegrity(layout.registryFile, INTEGRITY_DEADLINE_MS, clock),
      layout.registryFile,
    ),
    judgeDisk(await readDisk(dataDirectory, layout)),
  );
  const certificate = readCertificate(layout.certificateDirectory);
  if (certificate !== null) {
    const fact = {
      ...certificate,
      directory: layout.certificateDirectory,
      hostName: hostname(),
      onDiskSha256: certificate.certificateSha256,
    };
    findings.push(...judgeCertificate(fact, nowMs));
  }
  return findings;
}

/** What doctor saw last, while there was a control plane: its problems, and when that was. */
export function lastKnown(
  dataDirectory: string,
): { readonly atMs: number; readonly problems: Finding[] } | null {
  const { doctor } = readCheckRecords(dataDirectoryLayout(dataDirectory).checksFile);
  return doctor === null ? null : { atMs: doctor.atMs, problems: doctor.findings.filter(isProblem) };
}

function writtenAtMs(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function processFact(file: string): DirectoryFacts['process'] {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    if (!Number.isInteger(pid) || pid <= 0) return { kind: 'none' };
    return { kind: isAlive(pid) ? 'running' : 'gone', pid };
  } catch {
    return { kind: 'none' };
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
