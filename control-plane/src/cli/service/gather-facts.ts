import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { dataDirectoryLayout } from '../../config/data-directory-layout.js';
import { inspectRegistry } from '../../registry/backup/inspect-registry.js';
import { NOT_ROOT } from './decide/plan-install.js';
import type { Account, ServiceFacts, UnitFact } from './decide/service-facts.js';
import type { Machine } from './machine.js';
import { readRecord } from './record-book.js';
import { refused } from './refused.js';
import { PLACES, SERVICE, SERVICE_USER, UNIT_MARK } from './service-places.js';

/** @param offeredUnit text of the unit that is to be there */
export async function gatherFacts(
  machine: Machine,
  offeredUnit: string | null = null,
): Promise<ServiceFacts> {
  const { at } = machine;
  // Others may not even read what is installed.
  if (!machine.isRoot) throw refused(NOT_ROOT);
  const isImage = machine.root !== '/';
  const unit = await readUnitFact(machine, offeredUnit);
  const directories = [PLACES.program, PLACES.versions, PLACES.settings, PLACES.data];
  return {
    isRoot: machine.isRoot,
    systemd: existsSync(at('/run/systemd/system')),
    isImage,
    record: readRecord(machine),
    account: readAccount(machine),
    unit,
    command: readCommand(machine),
    settingsThere: {
      fabricFile: existsSync(at(PLACES.fabricFile)),
      variables: existsSync(at(PLACES.variables)) ? readFileSync(at(PLACES.variables), 'utf8') : null,
    },
    linked: [PLACES.program, PLACES.settings, PLACES.data].flatMap((path) =>
      lstatSync(at(path), { throwIfNoEntry: false })?.isSymbolicLink()
        ? [{ path, target: readlinkSync(at(path)) }]
        : [],
    ),
    directoriesThere: directories.filter((path) => existsSync(at(path))),
    versionsThere: existsSync(at(PLACES.versions))
      ? readdirSync(at(PLACES.versions)).filter((name) => !name.startsWith('.'))
      : [],
    backupsThere: listBackups(machine),
    holders: isImage ? [] : machine.holders(new Set(unit.processId > 0 ? [unit.processId] : [])),
    registry: inspectRegistry(at(dataDirectoryLayout(PLACES.data).registryFile)),
    freeBytes: { program: freeBytes(at(PLACES.program)), data: freeBytes(at(PLACES.data)) },
  };
}

/** What systemd says of the service. */
export async function showService(
  machine: Machine,
  ...properties: readonly string[]
): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await machine.run('systemctl', ['show', SERVICE, `--property=${properties.join(',')}`]);
  const pairs = stdout
    .split('\n')
    .map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

async function readUnitFact(machine: Machine, offeredUnit: string | null): Promise<UnitFact> {
  const file = machine.at(PLACES.unit);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : null;
  const isOurs = text?.includes(UNIT_MARK) === true;
  const isAsOffered = text !== null && text === offeredUnit;
  if (machine.root !== '/') {
    const kind = text === null ? 'none' : isOurs ? 'ours' : 'foreign';
    return { kind, path: text === null ? null : PLACES.unit, isAsOffered, active: false, processId: 0 };
  }
  const shown = await showService(machine, 'LoadState', 'FragmentPath', 'ActiveState', 'MainPID');
  const path = shown['FragmentPath'] || null;
  const isThere = text !== null || !['not-found', '', undefined].includes(shown['LoadState']);
  // One that was removed while it ran has no file any more, and is still there.
  const isForeign = isThere && !(isOurs && (path === null || path === PLACES.unit));
  return {
    kind: isForeign ? 'foreign' : isThere ? 'ours' : 'none',
    path: path ?? (text === null ? null : PLACES.unit),
    isAsOffered,
    active: ['active', 'activating', 'reloading'].includes(shown['ActiveState'] ?? ''),
    processId: Number(shown['MainPID'] ?? 0) || 0,
  };
}

function listBackups({ at }: Machine): string[] {
  if (!existsSync(at(PLACES.backups))) return [];
  const writtenAt = (name: string): number =>
    lstatSync(at(join(PLACES.backups, name)), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(at(PLACES.backups))
    .filter((name) => name.endsWith('.backup'))
    .toSorted((a, b) => writtenAt(a) - writtenAt(b))
    .map((name) => join(PLACES.backups, name));
}

/** Of the system's own list: service users are in no other. */
export function readAccount(machine: Machine): Account | null {
  const file = machine.at('/etc/passwd');
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const [, , uid, gid] = lines.find((line) => line.startsWith(`${SERVICE_USER}:`))?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

function readCommand({ at }: Machine): ServiceFacts['command'] {
  const link = at(PLACES.command);
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (found !== undefined) {
    const isOurs = found.isSymbolicLink() && readlinkSync(link).startsWith(`${PLACES.program}/`);
    return isOurs ? 'ours' : 'foreign';
  }
  return isWritable(dirname(link)) ? 'none' : 'read_only';
}

function isWritable(directory: string): boolean {
  try {
    accessSync(nearest(directory), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(nearest(path));
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** The directory itself, or the first above it that is there. */
function nearest(path: string): string {
  return existsSync(path) || path === '/' ? path : nearest(join(path, '..'));
}
