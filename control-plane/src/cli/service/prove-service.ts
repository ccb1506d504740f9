import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dataDirectoryLayout } from '../../config/data-directory-layout.js';
import { type Endpoint, endpointSchema } from '../api-client.js';
import { readPorts } from './decide/judge-ports.js';
import { judgeProof, type ProofVerdict, type ServiceSight } from './decide/judge-proof.js';
import { showService } from './gather-facts.js';
import type { Machine } from './machine.js';
import { PLACES, SERVICE } from './service-places.js';

export type Proof =
  | { readonly ok: true; readonly endpoint: Endpoint | null; readonly notes: readonly string[] }
  | { readonly ok: false; readonly why: string; readonly lastWords: readonly string[] };

const LOOK_EACH_MS = 250;
const LAST_WORDS = 12;

/** Looks at a service that was started until it is up, has failed, or the deadline is over. */
export async function proveService(machine: Machine, deadlineMs: number): Promise<Proof> {
  const startedAtMs = machine.nowMs();
  for (;;) {
    const endpoint = readEndpoint(machine);
    const verdict = judgeProof(await look(machine, endpoint, startedAtMs));
    const isInterrupted = machine.takeInterruption();
    if (verdict.kind === 'up') return { ok: true, endpoint, notes: verdict.notes };
    if (isInterrupted) return { ok: false, why: 'it was interrupted, and not waited for', lastWords: [] };
    if (verdict.kind === 'failed' || machine.nowMs() - startedAtMs >= deadlineMs) {
      return { ok: false, why: failure(verdict, deadlineMs), lastWords: await lastWords(machine) };
    }
    await machine.pause(LOOK_EACH_MS);
  }
}

function failure(verdict: Exclude<ProofVerdict, { kind: 'up' }>, deadlineMs: number): string {
  return verdict.kind === 'failed' ? verdict.why : `${verdict.why} after ${Math.round(deadlineMs / 1000)} s`;
}

async function look(machine: Machine, endpoint: Endpoint | null, startedAtMs: number): Promise<ServiceSight> {
  const shown = await showService(machine, 'ActiveState', 'MainPID', 'NRestarts');
  const processId = Number(shown['MainPID'] ?? 0) || 0;
  const answer =
    endpoint === null || endpoint.pid !== processId
      ? null
      : await machine.ask(endpoint.url, endpoint.certificateSha256, '/readyz');
  return {
    active: shown['ActiveState'] === 'active',
    processId,
    restarts: Number(shown['NRestarts'] ?? 0) || 0,
    endpointProcessId: endpoint?.pid ?? null,
    ready: answer === null ? null : { status: answer.status, reasons: readReasons(answer.text) },
    ...readAddresses(machine),
    activeForMs: machine.nowMs() - startedAtMs,
  };
}

/** Names and "all addresses" count as there. */
function readAddresses(machine: Machine): Pick<ServiceSight, 'absentAddresses' | 'hasAddress'> {
  const file = machine.at(PLACES.variables);
  const { hosts } = readPorts(existsSync(file) ? readFileSync(file, 'utf8') : null);
  const own = new Set([...machine.addresses(), '0.0.0.0', '::']);
  const absentAddresses = hosts.filter(
    (host) => isIP(host) !== 0 && !own.has(host) && !host.startsWith('127.'),
  );
  return { absentAddresses, hasAddress: hosts.length === 0 || absentAddresses.length < hosts.length };
}

/** Where the running control plane says that it answers; `null`: it does not say so yet. */
export function readEndpoint(machine: Machine): Endpoint | null {
  try {
    const file = machine.at(dataDirectoryLayout(PLACES.data).endpointFile);
    return endpointSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

function readReasons(text: string): string[] {
  try {
    const { reasons } = JSON.parse(text) as { reasons?: unknown };
    return Array.isArray(reasons) ? reasons.map(String) : [];
  } catch {
    return [];
  }
}

async function lastWords(machine: Machine): Promise<string[]> {
  const args = ['--unit', SERVICE, '--no-pager', '--output', 'cat', '--lines', String(LAST_WORDS)];
  const { code, stdout } = await machine.run('journalctl', args);
  return code === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
}
