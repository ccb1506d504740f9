import { type InstallRecord, readInstallRecord, writeInstallRecord } from '../install/install-record.js';
import { ownCommand } from '../own-command.js';
import { type Health, parseHealth } from './health.js';
import { readPlainFile } from './read-plain-file.js';
import { parseUpgradeRecord, type UpgradeRecord } from './upgrade-record.js';

const MAX_RECORD_BYTES = 16 * 1024;
const MAX_HEALTH_BYTES = 4 * 1024;

/** @returns `null` where there never was one @throws Error where it is damaged, with what mends it */
export async function readUpgradeRecord(path: string): Promise<UpgradeRecord | null> {
  const text = await readPlainFile(path, MAX_RECORD_BYTES);
  if (text === null) return null;
  const record = parseUpgradeRecord(text.toString('utf8'));
  if (record !== null) return record;
  throw new Error(`${path} is damaged. Mend it: remove it, then ${ownCommand('install', process.platform)}`);
}

/** @returns `null` where no agent wrote one that can be read */
export async function readHealth(path: string): Promise<Health | null> {
  const text = await readPlainFile(path, MAX_HEALTH_BYTES).catch(() => null);
  return text === null ? null : parseHealth(text.toString('utf8'));
}

/** As its record says; where there is none, nothing was installed by us. */
export async function noteInstalled(
  path: string,
  edit: (record: InstallRecord) => InstallRecord,
): Promise<void> {
  const record = await readInstallRecord(path);
  if (record !== null) await writeInstallRecord(path, edit(record));
}
