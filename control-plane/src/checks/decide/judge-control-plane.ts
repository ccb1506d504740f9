import { countOf } from '@ai-fabric/shared';
import type { AskFact, CertificateFact, DiskFact, IntegrityFact } from '../check-facts.js';
import { CONTROL_PLANE, type Finding, finding } from '../finding.js';

const DAY_MS = 86_400_000;
const EXPIRES_SOON_DAYS = 30;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const DISK_ERROR_BYTES = 512 * MIB;
const DISK_WARNING_BYTES = 2 * GIB;
const GATEWAY_SLOW_MS = 1_000;

/** @param ask of the gateway's own `/v1/models`, by the address that its clients use; `null`: it has none yet */
export function judgeGateway(url: string | null, ask: AskFact | null): Finding {
  if (url === null || ask === null) {
    return finding(
      'error',
      'gateway_without_address',
      CONTROL_PLANE,
      'none of its addresses is there yet, so nobody can reach the gateway',
      { fix: 'start it with --host and an address that this machine has, or bring the address up' },
    );
  }
  if (ask.kind === 'failed') {
    const what = `the gateway does not answer at ${url}: ${ask.detail}`;
    return finding('error', 'gateway_unreachable', CONTROL_PLANE, what, {
      fix: 'look into its log, then restart it',
      latencyMs: ask.tookMs,
    });
  }
  const latencyMs = ask.tookMs;
  if (ask.status !== 200) {
    const what = `the gateway at ${url} answers its own listing with ${ask.status}`;
    return finding('error', 'gateway_refuses', CONTROL_PLANE, what, {
      fix: 'look into its log',
      latencyMs,
    });
  }
  if (ask.tookMs > GATEWAY_SLOW_MS) {
    const what = `the gateway at ${url} takes ${Math.round(ask.tookMs)} ms for its own listing`;
    return finding('warning', 'gateway_slow', CONTROL_PLANE, what, {
      fix: 'see what else keeps this machine busy',
      latencyMs,
    });
  }
  const names = countOf(ask.modelIds?.length ?? 0, 'name');
  return finding('ok', 'gateway', CONTROL_PLANE, `the gateway answers at ${url}/v1 with ${names}`, {
    latencyMs,
  });
}

export function judgeCertificate(fact: CertificateFact, nowMs: number): Finding[] {
  const findings: Finding[] = [];
  const days = Math.floor((fact.expiresAtMs - nowMs) / DAY_MS);
  const replace = `put a new pair into ${fact.directory}, restart, and let each agent join again: they pin it`;
  if (fact.expiresAtMs <= nowMs) {
    const what = `its certificate has expired ${countOf(-days, 'day')} ago`;
    findings.push(finding('error', 'certificate_expired', CONTROL_PLANE, what, { fix: replace }));
  } else if (days < EXPIRES_SOON_DAYS) {
    const what = `its certificate expires in ${countOf(days, 'day')}`;
    findings.push(finding('warning', 'certificate_expires_soon', CONTROL_PLANE, what, { fix: replace }));
  }
  if (fact.onDiskSha256 !== null && fact.onDiskSha256 !== fact.certificateSha256) {
    const what = `another certificate lies in ${fact.directory} than the one it serves`;
    const fix = 'restart the control plane; agents that pin the old one have to join again';
    findings.push(finding('warning', 'certificate_replaced', CONTROL_PLANE, what, { fix }));
  }
  if (findings.length > 0) return findings;
  const host = fact.hostName.toLowerCase();
  if (!fact.names.includes(host)) {
    const what = `its certificate does not name ${host}: clients that check names refuse it, agents do not`;
    return [finding('info', 'certificate_name_missing', CONTROL_PLANE, what, { fix: replace })];
  }
  const what = `its certificate is good for ${countOf(days, 'day')} and names ${host}`;
  return [finding('ok', 'certificate', CONTROL_PLANE, what)];
}

export function judgeDisk(fact: DiskFact): Finding {
  const free = size(fact.freeBytes);
  const told = `${free} of ${size(fact.totalBytes)} are free at ${fact.directory}; the registry has ${size(fact.registryBytes)}`;
  const fix = 'make room on that disk: when it is full, telemetry and request rows are dropped';
  if (fact.freeBytes < DISK_ERROR_BYTES) return finding('error', 'disk_full', CONTROL_PLANE, told, { fix });
  if (fact.freeBytes < DISK_WARNING_BYTES)
    return finding('warning', 'disk_low', CONTROL_PLANE, told, { fix });
  return finding('ok', 'disk', CONTROL_PLANE, told);
}

export function judgeIntegrity(fact: IntegrityFact, file: string): Finding {
  switch (fact.kind) {
    case 'sound':
      return finding('ok', 'registry', CONTROL_PLANE, 'the registry is sound', { latencyMs: fact.tookMs });
    case 'damaged':
      return finding('error', 'registry_damaged', CONTROL_PLANE, `the registry is damaged: ${fact.detail}`, {
        fix: `stop the control plane, keep a copy of ${file}, and restore a backup`,
      });
    case 'unreadable':
      return finding('error', 'registry_unreadable', CONTROL_PLANE, `${file}: ${fact.detail}`, {
        fix: 'give the user that runs the control plane access to the file, or restore a backup',
      });
    case 'slow':
      return finding(
        'info',
        'registry_not_checked',
        CONTROL_PLANE,
        `the registry could not be checked within ${fact.afterMs / 1000} s`,
        { fix: 'ask again when the machine has less to do' },
      );
    default:
      return fact satisfies never;
  }
}

function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}
