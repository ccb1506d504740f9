import { statfs } from 'node:fs/promises';
import type { Clock, HostReading } from '@ai-fabric/shared';

export type DiskReading = Pick<HostReading, 'diskUsedBytes' | 'diskTotalBytes'>;

export interface DiskUsage {
  /** The last answer; asks again in the background when it is old. */
  read(): DiskReading;
}

const UNKNOWN: DiskReading = { diskUsedBytes: null, diskTotalBytes: null };
const ASK_EVERY_MS = 15_000;
/** An answer older than this is none: the disk does not answer any more. */
const GOOD_FOR_MS = 60_000;

/**
 * The use of the disk under `directory`. A disk that does not answer (a share that went away) holds up nobody: it is
 * never waited for, and never asked twice at once.
 */
export function diskUsage(directory: string, clock: Clock, ask = askDisk): DiskUsage {
  let last: { readonly value: DiskReading; readonly atMs: number } | null = null;
  let asking = false;
  const refresh = async (): Promise<void> => {
    asking = true;
    const value = await ask(directory).catch(() => UNKNOWN);
    last = { value, atMs: clock.monotonicMs() };
    asking = false;
  };
  return {
    read: () => {
      const ageMs = last === null ? Number.POSITIVE_INFINITY : clock.monotonicMs() - last.atMs;
      if (!asking && ageMs >= ASK_EVERY_MS) void refresh();
      return last !== null && ageMs < GOOD_FOR_MS ? last.value : UNKNOWN;
    },
  };
}

async function askDisk(directory: string): Promise<DiskReading> {
  const { blocks, bfree, bsize } = await statfs(directory);
  if (blocks <= 0) return UNKNOWN;
  return { diskUsedBytes: (blocks - bfree) * bsize, diskTotalBytes: blocks * bsize };
}
