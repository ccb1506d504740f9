import { lstat, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { win32 } from 'node:path';
import { listEndpoints } from '../../containers/decide/list-endpoints.js';
import { parseMachineGuid } from '../../identity/decide/parse-machine-guid.js';
import { machineSha256 } from '../../identity/machine-id.js';
import { privateFiles } from '../../identity/private-files.js';
import type { RunTool } from '../../identity/run-tool.js';
import { readInstallRecord } from '../install-record.js';
import type { ProgramSource } from '../program-source.js';
import { NOTHING_JOINED, readJoined } from '../read-joined.js';
import { type Elevation, judgeElevation, parseUserSid } from './decide/judge-elevation.js';
import type { WindowsFacts } from './decide/windows-facts.js';
import {
  EVENT_SOURCE_KEY,
  LOGON_TASK,
  type WindowsPaths,
  type WindowsRoots,
} from './decide/windows-paths.js';
import type { ServiceManager } from './service-manager.js';

export interface LookOptions {
  readonly roots: WindowsRoots;
  readonly paths: WindowsPaths;
  /** Where a path of Windows is on the machine that looks: there itself, but in tests. */
  readonly locate: (path: string) => string;
  readonly service: ServiceManager;
  readonly findProgram: () => Promise<ProgramSource>;
  readonly runTool: RunTool;
  readonly user: string;
  readonly nowMs: number;
}

type ElevationOptions = Pick<LookOptions, 'roots' | 'paths' | 'locate' | 'runTool'>;

/** Logs that are kept, journals of the link and memory of replicas. */
const STATE_BYTES = 128 * 1024 * 1024;
/** Of the program: one version is placed while another is there. */
const SLACK = 1.2;
const RELEASE_FALLBACK_BYTES = 160 * 1024 * 1024;
const PIPES = '\\\\.\\pipe\\';
const MACHINE_GUID = ['query', 'HKLM\\SOFTWARE\\Microsoft\\Cryptography', '/v', 'MachineGuid', '/reg:64'];

/** What this machine is, as far as an install has to know. It changes nothing. @throws InstallRecordError, StateFileError */
export async function lookAtWindows(options: LookOptions): Promise<WindowsFacts> {
  const { roots, paths, locate, service, findProgram, runTool, user, nowMs } = options;
  const isThere = (path: string): Promise<boolean> => holds(stat(locate(path)));
  const program = await findProgram();
  const readOnly = await findReadOnly(options);
  const elevation = await readElevation(options);
  const isElevated = elevation === 'elevated';
  const record = await readInstallRecord(locate(paths.recordFile));
  const entry = await service.entry();
  return {
    ...{ elevation, program, record, user, nowMs },
    userSid: parseUserSid(await runTool(paths.tool('whoami'), ['/user']).catch(() => '')),
    serviceImage: entry === null ? null : (entry.image ?? '(nothing)'),
    linked: await findLinks(options),
    readOnly: isElevated ? readOnly : [],
    hasPolicy: await isThere(paths.policyFile),
    hasKey: await isThere(paths.keyFile),
    hasEventSource: await holds(runTool(paths.tool('reg'), ['query', EVENT_SOURCE_KEY])),
    dockerDesktop: await findFirst(paths.dockerDesktops, isThere),
    hasEnginePipe: await hasEnginePipe(locate),
    hasLogonTask: await hasLogonTask(options, record?.made.some(({ kind }) => kind === 'task') ?? false),
    ...(isElevated
      ? await readJoined({ platform: 'win32', stateDirectory: locate(paths.dataFolder) }, roots.windows)
      : NOTHING_JOINED),
    machineSha256: await readMachine(options),
    room: isElevated ? await findRoom(options, program.ok ? program.bytes : RELEASE_FALLBACK_BYTES) : [],
  };
}

/** Where Windows does not tell, what matters is tried: only an administrator writes to the folder of programs. */
export async function readElevation(options: ElevationOptions): Promise<Elevation> {
  const { paths, runTool } = options;
  const told = judgeElevation(await runTool(paths.tool('whoami'), ['/groups']).catch(() => ''));
  if (told !== 'unknown') return told;
  return (await findReadOnly(options)).length === 0 ? 'elevated' : 'not_elevated';
}

async function findLinks({ paths, locate }: LookOptions): Promise<readonly string[]> {
  const found = await Promise.all(
    [paths.vendorFolder, paths.dataFolder, paths.programFolder].map(async (path) => {
      const entry = await lstat(locate(path)).catch(() => null);
      return entry?.isSymbolicLink() ? [path] : [];
    }),
  );
  return found.flat();
}

/** Only trying tells what an ACL comes to. */
async function findReadOnly({ roots, locate }: ElevationOptions): Promise<readonly string[]> {
  const found = await Promise.all(
    [roots.programFiles, roots.programData].map(async (folder) => {
      const probe = locate(win32.join(folder, `ai-fabric-agent-${process.pid}.probe`));
      const made = await holds(mkdir(probe));
      if (made) await rm(probe, { recursive: true, force: true });
      return made ? [] : [folder];
    }),
  );
  return found.flat();
}

async function findFirst(
  places: readonly string[],
  isThere: (path: string) => Promise<boolean>,
): Promise<string | null> {
  for (const place of places) if (await isThere(place)) return place;
  return null;
}

/** Listed, not opened: whoever opens a pipe takes the place of somebody who has something to say. */
async function hasEnginePipe(locate: LookOptions['locate']): Promise<boolean> {
  const names = await readdir(locate(PIPES)).catch(() => []);
  const pipes = listEndpoints({ platform: 'win32', runtimeDirectory: null });
  return names.some((name) => pipes.includes(`${PIPES}${name}`));
}

/** `schtasks` of some systems answers to any name: only what was made is asked for. */
async function hasLogonTask({ paths, runTool }: LookOptions, wasMade: boolean): Promise<boolean> {
  return wasMade && holds(runTool(paths.tool('schtasks'), ['/Query', '/TN', LOGON_TASK]));
}

/** Without an id of its own a machine would be given one, which is more than a look. */
async function readMachine({ roots, paths, locate, runTool }: LookOptions): Promise<string | null> {
  const told = await runTool(paths.tool('reg'), MACHINE_GUID).catch(() => '');
  if (parseMachineGuid(told) === null) return null;
  return machineSha256({
    ...{ platform: 'win32', windowsDirectory: roots.windows, stateDirectory: locate(paths.dataFolder) },
    files: privateFiles({ platform: 'win32', windowsDirectory: roots.windows }),
    run: () => Promise.resolve(told),
  });
}

async function findRoom({ roots, locate }: LookOptions, programBytes: number): Promise<WindowsFacts['room']> {
  const wanted = [
    { path: roots.programFiles, neededBytes: Math.ceil(programBytes * SLACK) },
    { path: roots.programData, neededBytes: STATE_BYTES },
  ];
  const found = await Promise.all(
    wanted.map(async ({ path, neededBytes }) => {
      const room = await statfs(locate(path)).catch(() => null);
      return room === null ? [] : [{ path, freeBytes: room.bavail * room.bsize, neededBytes }];
    }),
  );
  return found.flat();
}

function holds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
