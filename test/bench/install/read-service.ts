import { readdirSync, readFileSync } from 'node:fs';
import { type ProcessReadings, readProcess } from '../machine/process-readings.js';

/** USER_HZ, the unit of /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

export interface ServiceReadings extends ProcessReadings {
  /** Of the processes that it keeps beside itself. */
  readonly childrenRssBytes: number;
}

/**
 * A service by its first process: the CPU time is of all that run and of those that ended and were waited for, the
 * resident memory is its own.
 *
 * @throws Error when there is no such process
 */
export function readService(pid: number): ServiceReadings {
  const own = readProcess(pid);
  const children = descendantsOf(pid).flatMap((child) => {
    const readings = readOrNull(child);
    return readings === null ? [] : [{ ...readings, waitedSeconds: waitedSeconds(child) }];
  });
  const cpuSeconds = children.reduce(
    (sum, child) => sum + child.cpuSeconds + child.waitedSeconds,
    own.cpuSeconds + waitedSeconds(pid),
  );
  const childrenRssBytes = children.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
  return { ...own, cpuSeconds, childrenRssBytes };
}

function descendantsOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => [Number(entry), Number(statOf(Number(entry))[1])] as const);
  const below = (parent: number): number[] =>
    parents.filter((pair) => pair[1] === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** CPU time of its children that have ended. */
function waitedSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS_PER_SECOND;
}

/** The fields of /proc/PID/stat from the state on; none of a process that has ended. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function readOrNull(pid: number): ProcessReadings | null {
  try {
    return readProcess(pid);
  } catch {
    return null; // It ended meanwhile.
  }
}
