import { readFileSync, writeFileSync } from 'node:fs';

export interface ProcessReadings {
  /** User and system time of all its threads, ended ones included; children are not. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that Node runs on, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;

/** @throws Error when there is no such process */
export function readProcess(pid: number): ProcessReadings {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const userTicks = Number(fields[11]);
  const systemTicks = Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return {
    cpuSeconds: (userTicks + systemTicks) / TICKS_PER_SECOND,
    rssBytes: rssKib * 1024,
    atMs: performance.now(),
  };
}

/** Forgets the greatest resident size of a process so far, so that the next peak is of what follows. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The greatest resident size since the start, or since `resetPeak`. */
export function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** CPU time between two readings as a share of one core, in percent. */
export function corePercent(before: ProcessReadings, after: ProcessReadings): number {
  return ((after.cpuSeconds - before.cpuSeconds) / (after.atMs - before.atMs)) * 100_000;
}
