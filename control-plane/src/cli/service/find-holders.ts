import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { LitellmCandidate } from './decide/find-litellm.js';
import { readSockets, readUnit } from './decide/read-sockets.js';
import type { PortHolder } from './decide/service-facts.js';

/** Who listens on a port of this machine. What cannot be seen (a process of another container) has process id 0. */
export function findHolders(ignored: ReadonlySet<number>): PortHolder[] {
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readSockets(readOr(file, '')));
  const owners = findOwners(new Set(sockets.map(({ inode }) => inode)));
  return sockets.flatMap(({ port, inode }) => {
    const processId = owners.get(inode) ?? 0;
    if (ignored.has(processId)) return [];
    return [{ port, processId, ...describeProcess(processId) }];
  });
}

/** All processes, with what tells a LiteLLM proxy. */
export function listCandidates(holders: readonly PortHolder[]): LitellmCandidate[] {
  return processIds().flatMap((processId) => {
    const args = readOr(`/proc/${processId}/cmdline`, '').split('\0').slice(0, -1);
    if (args.length === 0) return [];
    const ports = holders.filter((each) => each.processId === processId).map(({ port }) => port);
    const unit = readUnit(readOr(`/proc/${processId}/cgroup`, ''));
    return [{ unit, processId, arguments: args, workingDirectory: workingDirectory(processId), ports }];
  });
}

/** What a process was started with, of the variables that are asked for. */
export function readEnvironment(
  processId: number,
  names: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const entries = readOr(`/proc/${processId}/environ`, '').split('\0');
  const pairs = entries.map(
    (each) => [each.split('=', 1)[0] ?? '', each.slice(each.indexOf('=') + 1)] as const,
  );
  return Object.fromEntries(pairs.filter(([name, value]) => names.has(name) && value !== ''));
}

function findOwners(inodes: ReadonlySet<string>): ReadonlyMap<string, number> {
  const owners = new Map<string, number>();
  for (const processId of processIds()) {
    for (const descriptor of listOr(`/proc/${processId}/fd`)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOr(`/proc/${processId}/fd/${descriptor}`)) ?? [];
      if (inode !== undefined && inodes.has(inode) && !owners.has(inode)) owners.set(inode, processId);
    }
  }
  return owners;
}

function describeProcess(processId: number): Pick<PortHolder, 'program' | 'unit'> {
  if (processId === 0) return { program: 'a program that cannot be seen from here', unit: null };
  const program = readOr(`/proc/${processId}/comm`, '').trim() || 'a program';
  return { program, unit: readUnit(readOr(`/proc/${processId}/cgroup`, '')) };
}

function workingDirectory(processId: number): string {
  return linkOr(`/proc/${processId}/cwd`) || '/';
}

function processIds(): number[] {
  return listOr('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Processes come and go while they are looked at. */
function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

function listOr(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
