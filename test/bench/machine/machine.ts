import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findProgram } from './find-program.js';

/** What is measured has one core for itself; load and engines have the other. */
export interface Machine {
  /** `null`: nothing is pinned, see `notes`. */
  readonly pinning: { readonly taskset: string; readonly measured: number; readonly load: number } | null;
  /** Whether /proc tells CPU time and memory of other processes. */
  readonly readsProcesses: boolean;
  readonly notes: readonly string[];
}

/** Looks at the machine, and takes this process off the measured core. */
export function inspectMachine(): Machine {
  const cores = allowedCores();
  const taskset = findProgram('taskset');
  const readsProcesses = process.platform === 'linux';
  const [measured, load] = cores;
  const notes: string[] = [];
  if (taskset === null) {
    notes.push('taskset is not here (Debian: util-linux): nothing was pinned, everybody shares all cores');
  } else if (measured === undefined || load === undefined) {
    notes.push('only one core: what is measured shares it with its load, so read no figure but ratios');
  }
  if (!readsProcesses) notes.push("no /proc: CPU time and memory of processes can't be read on this machine");
  const pinning =
    taskset === null || measured === undefined || load === undefined ? null : { taskset, measured, load };
  if (pinning) spawnSync(taskset ?? '', ['-cp', String(pinning.load), String(process.pid)]);
  return { pinning, readsProcesses, notes };
}

/** The cores that this process may use, by number. Empty where the system does not tell. */
function allowedCores(): number[] {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return [];
  }
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
