import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@ai-fabric/shared';
import { chooseOldLogs } from './decide/choose-old-logs.js';

/** Of 10 MiB each, beside the one that is written. */
const KEPT_LOGS = 5;
const EVERY_MS = 3_600_000;

/** Removes logs that the service's wrapper put aside and that are too old: now, and every hour. It keeps nothing running. */
export function pruneLogs(stateDirectory: string, clock: Clock): void {
  const folder = join(stateDirectory, 'logs');
  const prune = async (): Promise<void> => {
    const names = await readdir(folder).catch(() => []);
    await Promise.all(
      chooseOldLogs(names, KEPT_LOGS).map((name) =>
        rm(join(folder, name), { force: true }).catch(() => undefined),
      ),
    );
    clock.after(EVERY_MS, () => void prune());
  };
  void prune();
}
