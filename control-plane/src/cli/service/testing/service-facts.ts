import type { ServiceFacts } from '../decide/service-facts.js';
import { type InstalledRecord, NOTHING_INSTALLED } from '../installed-record.js';
import { PLACES } from '../service-places.js';

const GIB = 1024 ** 3;

/** A machine on which nothing of ours is, and which has all that is needed. */
export const EMPTY_MACHINE: ServiceFacts = {
  ...{ isRoot: true, systemd: true, isImage: false, record: null, account: null },
  unit: { kind: 'none', path: null, isAsOffered: false, active: false, processId: 0 },
  command: 'none',
  settingsThere: { fabricFile: false, variables: null },
  ...{ directoriesThere: [], linked: [], versionsThere: [], backupsThere: [], holders: [] },
  registry: { kind: 'none' },
  freeBytes: { program: 10 * GIB, data: 10 * GIB },
};

export const RECORD: InstalledRecord = {
  ...NOTHING_INSTALLED,
  made: ['user', PLACES.settings, PLACES.program, PLACES.versions, PLACES.data, PLACES.unit, PLACES.command],
  current: { version: '0.1.0', folder: '0.1.0-aaaa' },
};

/** One on which version 0.1.0 runs. */
export const INSTALLED_MACHINE: ServiceFacts = {
  ...EMPTY_MACHINE,
  record: RECORD,
  account: { uid: 998, gid: 998 },
  unit: { kind: 'ours', path: PLACES.unit, isAsOffered: true, active: true, processId: 71 },
  command: 'ours',
  settingsThere: { fabricFile: true, variables: '# none\n' },
  directoriesThere: [PLACES.settings, PLACES.program, PLACES.versions, PLACES.data],
  versionsThere: ['0.1.0-aaaa'],
  registry: { kind: 'sound', schema: 7, bytes: 1_000_000 },
};
