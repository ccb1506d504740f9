import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunTool } from '../../identity/run-tool.js';
import { noteMade } from '../../install/decide/edit-record.js';
import type { Made } from '../../install/install-steps.js';
import {
  CURRENT_LINK,
  RECORD_FILE,
  SERVICE,
  STATE_FOLDER,
  VERSIONS_FOLDER,
} from '../../install/linux/decide/linux-paths.js';
import type { ServiceFacts } from '../decide/plan-upgrade-step.js';
import { HEALTH_FILE } from '../health.js';
import { syncFolder } from '../sync-folder.js';
import { noteInstalled, readHealth, readUpgradeRecord } from '../upgrade-files.js';
import type { UpgradeSystem } from '../upgrade-system.js';
import { finishingUnit } from './finishing-unit.js';
import { FINISHING_SERVICE, FINISHING_UNIT, FINISHING_WANTED, UPGRADE_RECORD } from './upgrade-paths.js';

export interface LinuxUpgradeOptions {
  readonly runTool: RunTool;
  /** What stands before all paths: empty, but in tests. */
  readonly root?: string;
}

const MADE: readonly Made[] = [
  { kind: 'file', what: FINISHING_UNIT, kept: false },
  { kind: 'link', what: FINISHING_WANTED, kept: false },
];

/** Versions in folders with a link to the current one, and a service of systemd. */
export function linuxUpgrade({ runTool, root = '' }: LinuxUpgradeOptions): UpgradeSystem {
  const at = (path: string): string => join(root, path);
  return {
    readRecord: () => readUpgradeRecord(at(UPGRADE_RECORD)),
    writeRecord: (record) => writeWhole(at(UPGRADE_RECORD), `${JSON.stringify(record, null, 2)}\n`),
    current: () => readlink(at(CURRENT_LINK)).catch(() => null),
    makeCurrent: (folder) => makeLink(at(CURRENT_LINK), folder),
    restart: async () => {
      await runTool('systemctl', ['reset-failed', SERVICE]).catch(() => undefined);
      await runTool('systemctl', ['restart', SERVICE]);
    },
    service: () => readService(runTool),
    health: () => readHealth(join(at(STATE_FOLDER), HEALTH_FILE)),
    arm: async ({ from }) => {
      await noteInstalled(at(RECORD_FILE), (record) => noteMade(record, MADE));
      await writeWhole(at(FINISHING_UNIT), finishingUnit(from.folder));
      await mkdir(dirname(at(FINISHING_WANTED)), { recursive: true, mode: 0o755 });
      await makeLink(at(FINISHING_WANTED), FINISHING_UNIT);
      await runTool('systemctl', ['daemon-reload']);
    },
    startFinishing: async () => {
      await runTool('systemctl', ['start', '--no-block', FINISHING_SERVICE]);
    },
    disarm: async () => {
      await rm(at(FINISHING_WANTED), { force: true });
      await rm(at(FINISHING_UNIT), { force: true });
      await syncFolder(dirname(at(FINISHING_UNIT)));
      await runTool('systemctl', ['daemon-reload']);
    },
    noteVersion: (version) => noteInstalled(at(RECORD_FILE), (record) => ({ ...record, version })),
    keepOnly: async (folders) => {
      const current = await readlink(at(CURRENT_LINK)).catch(() => null);
      for (const name of await readdir(at(VERSIONS_FOLDER)).catch(() => [])) {
        const folder = `${VERSIONS_FOLDER}/${name}`;
        if (folder === current || folders.includes(folder)) continue;
        await rm(at(folder), { recursive: true, force: true });
      }
    },
  };
}

async function readService(runTool: RunTool): Promise<ServiceFacts> {
  const text = await runTool('systemctl', ['show', '--property=MainPID,NRestarts', SERVICE]).catch(() => '');
  const numberOf = (name: string): number => Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const pid = numberOf('MainPID');
  return { pid: pid === 0 ? null : pid, restarts: numberOf('NRestarts') };
}

/** By rename, so that there is one at each moment; on the disk when it resolves. */
async function makeLink(path: string, target: string): Promise<void> {
  if ((await readlink(path).catch(() => null)) === target) return;
  const beside = `${path}.${randomUUID()}`;
  await symlink(target, beside);
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/** Whole or not at all, on the disk when it resolves. */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncFolder(dirname(path));
}
