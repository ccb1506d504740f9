/** CPU time since boot, all processors together, in one unit (ticks or milliseconds). */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/**
 * The first line of Linux's /proc/stat: "cpu user nice system idle iowait irq softirq steal guest guest_nice".
 * Waiting for a disk is idle; guest time is already in user time. Source: proc_stat(5).
 */
export function parseProcStat(text: string): CpuTimes | null {
  const end = text.indexOf('\n');
  const [name, ...ticks] = (end < 0 ? text : text.slice(0, end)).trim().split(/\s+/);
  if (name !== 'cpu' || ticks.length < 4) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    ticks.map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  const total = busy + idle + iowait;
  return Number.isFinite(total) ? { busy, total } : null;
}

/** Node's `os.cpus()`, for systems without /proc. */
export function sumCpuTimes(
  cpus: readonly { readonly times: Readonly<Record<'user' | 'nice' | 'sys' | 'idle' | 'irq', number>> }[],
): CpuTimes | null {
  if (cpus.length === 0) return null;
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, total: busy + idle };
}

/** The busy share between two readings, 0–1; `null` when nothing passed between them or the counters went back. */
export function cpuRatioBetween(before: CpuTimes | null, after: CpuTimes | null): number | null {
  if (before === null || after === null) return null;
  const total = after.total - before.total;
  const busy = after.busy - before.busy;
  // Idle counters of Linux may step back a little: then busy exceeds total for once.
  return total <= 0 || busy < 0 ? null : Math.round(Math.min(1, busy / total) * 10_000) / 10_000;
}
