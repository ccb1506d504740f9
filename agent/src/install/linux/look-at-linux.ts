import { access, lstat, mkdir, readFile, readlink, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { machineSha256 } from '../../identity/machine-id.js';
import { privateFiles } from '../../identity/private-files.js';
import type { RunTool } from '../../identity/run-tool.js';
import { readInstallRecord } from '../install-record.js';
import type { ProgramSource } from '../program-source.js';
import { NOTHING_JOINED, readJoined } from '../read-joined.js';
import type { LinuxFacts } from './decide/linux-facts.js';
import {
  ACCOUNT,
  CONFIG_FOLDER,
  HELPER_UNIT_FILE,
  KEY_FILE,
  OUR_MARK,
  PODMAN_SOCKET,
  POLICY_FILE,
  POLKIT_FILE,
  PROGRAM_FOLDER,
  RECORD_FILE,
  SERVICE,
  STATE_FOLDER,
  UNIT_FILE,
  UNIT_FOLDER,
} from './decide/linux-paths.js';

export interface LookOptions {
  /** What stands before all paths: empty, but in tests. */
  readonly root: string;
  readonly isRoot: boolean;
  readonly findProgram: () => Promise<ProgramSource>;
  readonly runTool: RunTool;
  readonly nowMs: number;
}

/** Where units are that neither we nor this machine's administrator wrote. */
const OTHER_UNIT_FOLDERS = [
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin', '/usr/local/sbin', '/sbin'];
/** By the names of Debian's packages: one of the paths is there with each. */
const ROOTLESS_PARTS: readonly (readonly [string, readonly string[]])[] = [
  ['podman', userUnit('podman.socket')],
  ['uidmap', program('newuidmap')],
  ['dbus-user-session', userUnit('dbus.socket')],
  // Podman 5 has the other one.
  ['slirp4netns', [...program('slirp4netns'), ...program('pasta')]],
];
/** What is there where polkit is installed. */
const POLKIT_FOLDERS = ['/usr/share/polkit-1', '/etc/polkit-1'];
/** Debian 11 and Ubuntu 22.04 have 0.105, which reads .pkla files: by these an agent could start all units or none. */
const POLKIT_WITH_RULES = 0.106;
/** Journals of the link and memory of replicas: little, and never to fail for want of it. */
const STATE_BYTES = 64 * 1024 * 1024;
/** Of the program: one version is placed while another is there. */
const SLACK = 1.2;
const RELEASE_FALLBACK_BYTES = 160 * 1024 * 1024;
/** Group and all others. */
const OTHERS_WRITE = 0o022;

/** What this machine is, as far as an install has to know. It changes nothing. @throws InstallRecordError, StateFileError */
export async function lookAtLinux(options: LookOptions): Promise<LinuxFacts> {
  const { root, isRoot, findProgram, runTool, nowMs } = options;
  const at = (path: string): string => join(root, path);
  const isThere = (path: string): Promise<boolean> => holds(access(at(path)));
  const print = (file: string, ...args: readonly string[]): Promise<string> =>
    runTool(file, args).catch(() => '');
  const program = await findProgram();
  const taken = isRoot ? await findTaken(at) : [];
  const isJoinable = isRoot && !taken.some(({ path }) => path === STATE_FOLDER);
  return {
    ...{ isRoot, program, nowMs },
    hasSystemd: await isThere('/run/systemd/system'),
    systemdVersion: readVersion(await print('systemctl', '--version')),
    polkit: await findPolkit(isThere, readVersion(await print('pkaction', '--version'))),
    hasGdbus: await holds(runTool('gdbus', ['help'])),
    record: isRoot ? await readInstallRecord(at(RECORD_FILE)) : null,
    units: await findUnits(at),
    hasAccount: await holds(runTool('id', ['-u', ACCOUNT])),
    hasPolicy: await isThere(POLICY_FILE),
    hasKey: await isThere(KEY_FILE),
    ...(isJoinable
      ? await readJoined({ platform: 'linux', stateDirectory: at(STATE_FOLDER) }, '')
      : NOTHING_JOINED),
    machineSha256: await readMachine(at),
    taken,
    readOnly: isRoot ? await findReadOnly(at) : [],
    room: isRoot ? await findRoom(at, program.ok ? program.bytes : RELEASE_FALLBACK_BYTES) : [],
    hasPodman: await findUnit(isThere, PODMAN_SOCKET),
    isPodmanEnabled: await holds(runTool('systemctl', ['is-enabled', PODMAN_SOCKET])),
    missingForRootless: await findMissingForRootless(isThere),
    hasDocker: await hasGroup(at('/etc/group'), 'docker'),
  };
}

async function findMissingForRootless(
  isThere: (path: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const found = await Promise.all(
    ROOTLESS_PARTS.map(async ([name, paths]) => {
      const there = await Promise.all(paths.map(isThere));
      return there.includes(true) ? [] : [name];
    }),
  );
  return found.flat();
}

async function findUnits(at: (path: string) => string): Promise<LinuxFacts['units']> {
  const paths = [UNIT_FILE, HELPER_UNIT_FILE, ...OTHER_UNIT_FOLDERS.map((folder) => `${folder}/${SERVICE}`)];
  const found = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(at(path), 'utf8').catch(() => null);
      return text === null ? [] : [{ path, isOurs: text.includes(OUR_MARK) }];
    }),
  );
  return found.flat();
}

async function findUnit(isThere: (path: string) => Promise<boolean>, unit: string): Promise<boolean> {
  const found = await Promise.all(
    [UNIT_FOLDER, ...OTHER_UNIT_FOLDERS].map((folder) => isThere(`${folder}/${unit}`)),
  );
  return found.includes(true);
}

async function readMachine(at: (path: string) => string): Promise<string | null> {
  const text = await readFile(at('/etc/machine-id'), 'utf8').catch(() => '');
  if (!/^[0-9a-f]{32}$/.test(text.trim())) return null;
  const files = privateFiles({ platform: 'linux', windowsDirectory: '' });
  const places = { linuxPaths: [at('/etc/machine-id')], stateDirectory: at(STATE_FOLDER) };
  return machineSha256({ platform: 'linux', windowsDirectory: '', files, ...places });
}

async function findPolkit(
  isThere: (path: string) => Promise<boolean>,
  version: number | null,
): Promise<LinuxFacts['polkit']> {
  const there = await Promise.all(POLKIT_FOLDERS.map(isThere));
  if (!there.includes(true)) return 'none';
  const readsRules = version === null || version >= POLKIT_WITH_RULES;
  return readsRules && (await isThere(dirname(POLKIT_FILE))) ? 'reads_rules' : 'old';
}

/** "systemd 252 (252.39-1~deb12u1)", "pkaction version 0.105". */
function readVersion(line: string): number | null {
  const [, version] = /^[\w ]+? (\d+(?:\.\d+)?)/.exec(line) ?? [];
  return version === undefined ? null : Number(version);
}

async function findTaken(at: (path: string) => string): Promise<LinuxFacts['taken']> {
  const found = await Promise.all(
    [PROGRAM_FOLDER, CONFIG_FOLDER, STATE_FOLDER].map(async (path) => {
      const is = await describeTaken(at(path), path === STATE_FOLDER);
      return is === null ? [] : [{ path, is }];
    }),
  );
  return found.flat();
}

async function describeTaken(path: string, isAgents: boolean): Promise<string | null> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  if (found.isSymbolicLink()) return `a link to ${await readlink(path)}`;
  if (!found.isDirectory()) return 'no folder';
  if (isAgents) return null;
  if (found.uid !== process.getuid?.()) return `a folder of another user (${found.uid})`;
  return (found.mode & OTHERS_WRITE) === 0 ? null : 'a folder that others may write to';
}

/** Root may write anywhere: only trying tells of a file system that is read-only. */
async function findReadOnly(at: (path: string) => string): Promise<readonly string[]> {
  const found = await Promise.all(
    [PROGRAM_FOLDER, CONFIG_FOLDER, STATE_FOLDER, `${UNIT_FOLDER}/${SERVICE}`].map(async (path) => {
      const folder = await nearest(at(path));
      const probe = join(folder, `.ai-fabric-agent-${process.pid}`);
      const problem = await mkdir(probe).then(
        () => null,
        (error: NodeJS.ErrnoException) => error.code,
      );
      if (problem === null) await rm(probe, { recursive: true, force: true });
      return problem === 'EROFS' || problem === 'EACCES' || problem === 'EPERM' ? [dirname(path)] : [];
    }),
  );
  return [...new Set(found.flat())];
}

async function findRoom(at: (path: string) => string, programBytes: number): Promise<LinuxFacts['room']> {
  const wanted = [
    { path: PROGRAM_FOLDER, neededBytes: Math.ceil(programBytes * SLACK) },
    { path: STATE_FOLDER, neededBytes: STATE_BYTES },
  ];
  return Promise.all(
    wanted.map(async ({ path, neededBytes }) => {
      const { bavail, bsize } = await statfs(await nearest(at(path)));
      return { path: dirname(path), freeBytes: bavail * bsize, neededBytes };
    }),
  );
}

/** The folder itself, or the one above it that is there. */
async function nearest(path: string): Promise<string> {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory()) return folder;
  }
  return '/';
}

async function hasGroup(file: string, group: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').some((line) => line.startsWith(`${group}:`));
}

function userUnit(name: string): readonly string[] {
  return ['/etc', '/usr/local/lib', '/usr/lib', '/lib'].map((folder) => `${folder}/systemd/user/${name}`);
}

function program(name: string): readonly string[] {
  return PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`);
}

function holds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
