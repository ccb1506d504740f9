export interface Memory {
  readonly usedBytes: number;
  readonly totalBytes: number;
}

const LINE = /^(MemTotal|MemFree|MemAvailable|Buffers|Cached):\s+(\d+) kB$/gm;

/**
 * Linux's /proc/meminfo. Used is what programs cannot have: total less `MemAvailable`, which counts caches that would
 * give way; kernels before 3.14 lack it and get the old sum. Source: proc_meminfo(5).
 */
export function parseMeminfo(text: string): Memory | null {
  const kilobytes: Partial<Record<string, number>> = {};
  for (const [, name = '', value] of text.matchAll(LINE)) kilobytes[name] = Number(value);
  const {
    MemTotal: total,
    MemFree: free,
    MemAvailable: available,
    Buffers: buffers = 0,
    Cached: cached = 0,
  } = kilobytes;
  const usable = available ?? (free === undefined ? undefined : free + buffers + cached);
  if (total === undefined || usable === undefined || total === 0) return null;
  return { usedBytes: Math.max(0, total - usable) * 1024, totalBytes: total * 1024 };
}
