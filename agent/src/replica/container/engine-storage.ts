import { statfs } from 'node:fs/promises';
import { askImageSize } from '../../containers/image-size.js';
import type { KeptTools, StorageView } from './kept-tools.js';

export interface EngineStorageOptions {
  readonly census: Pick<KeptTools['census'], 'probe'>;
  readonly platform: NodeJS.Platform;
  /** Of the drive that Windows itself is on, where Docker Desktop has its virtual disk unless it was moved. */
  readonly systemDriveFreeBytes: () => number | null;
  readonly weights: StorageView['weights'];
}

/** The disk of this host's container engine, as far as it can be seen from the host. */
export function engineStorage(options: EngineStorageOptions): StorageView {
  const { census, platform, systemDriveFreeBytes, weights } = options;
  return {
    imageBytes: askImageSize,
    room: async () => {
      const probe = await census.probe().catch(() => null);
      if (!probe?.reachable) return { freeBytes: null, virtualDisk: false };
      const { desktop, storagePath } = probe.info;
      if (platform === 'win32') return { freeBytes: systemDriveFreeBytes(), virtualDisk: true };
      const isHere = storagePath !== null && !desktop;
      return { freeBytes: isHere ? await freeBytes(storagePath) : null, virtualDisk: desktop };
    },
    weights,
  };
}

/** @returns `null` where the path cannot be reached from here */
async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}
