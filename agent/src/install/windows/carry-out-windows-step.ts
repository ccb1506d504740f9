import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, win32 } from 'node:path';
import { loadHostKey } from '../../identity/host-key.js';
import { privateFiles } from '../../identity/private-files.js';
import type { InstallRequest } from '../install-steps.js';
import { joinWithNewKey, makeNewKey } from '../new-key.js';
import { copyWhole, writeWhole } from '../whole-files.js';
import { callTool } from './call-tool.js';
import { configureServiceCalls, makeServiceCall, type ToolCall } from './decide/service-arguments.js';
import { LOGON_TASK, nameOf, type WindowsRoots } from './decide/windows-paths.js';
import type { WindowsStep, WindowsStepOf } from './decide/windows-steps.js';
import { encodeTask, writeLogonTask } from './decide/write-logon-task.js';
import { type ProtectOptions, protectFolder } from './protect-folder.js';
import type { ServiceManager } from './service-manager.js';

export interface CarryOutOptions extends ProtectOptions {
  readonly roots: WindowsRoots;
  readonly service: ServiceManager;
  /** Shows the token to the control plane, with the new key where one was made, and keeps what it says in the data folder. */
  readonly join: (server: string, request: InstallRequest, force: boolean) => Promise<string>;
}

type Executors = {
  readonly [Kind in WindowsStep['kind']]: (step: WindowsStepOf<Kind>) => Promise<string | null>;
};

/** Carries out a step of an install. @returns what more is to be told @throws Error */
export function carryOutWindowsStep(
  options: CarryOutOptions,
  step: WindowsStep,
  request: InstallRequest,
): Promise<string | null> {
  const execute = executors(options, request)[step.kind] as (step: WindowsStep) => Promise<string | null>;
  return execute(step);
}

function executors(options: CarryOutOptions, request: InstallRequest): Executors {
  const { locate, service, join: joinFabric } = options;
  return {
    make_folder: async ({ path }) => {
      await mkdir(locate(path), { recursive: true });
      return null;
    },
    protect_folder: ({ path, use }) => protectFolder(options, path, use),
    write_file: async ({ path, text }) => {
      await writeWhole(locate(path), text, 0o644);
      return null;
    },
    place_files: (step) => placeFiles(step.files, locate(step.folder)),
    store_key: ({ anew }) => storeKey(options, anew),
    join: ({ server, rejoin }) => {
      const join_ = (): Promise<string> => joinFabric(server, request, rejoin);
      return request.newIdentity ? joinWithNewKey(locate(options.paths.dataFolder), join_) : join_();
    },
    set_service: ({ program }) => setService(options, program),
    make_logon_task: (step) => makeLogonTask(options, step),
    remove_logon_task: async () => {
      await call(options, [options.paths.tool('schtasks'), ['/Delete', '/TN', LOGON_TASK, '/F']]);
      return null;
    },
    stop_service: async () => {
      await service.stop();
      return null;
    },
    start_service: async () => {
      await service.start();
      return null;
    },
  };
}

/** A file that is there already may be in use, and need not be replaced. */
async function placeFiles(files: readonly string[], folder: string): Promise<string | null> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const target = join(folder, nameOf(file));
    if ((await hashOf(target)) !== (await hashOf(file))) await copyWhole(file, target, 0o755);
  }
  return null;
}

async function storeKey({ roots, paths, locate }: CarryOutOptions, anew: boolean): Promise<string | null> {
  const folder = locate(paths.dataFolder);
  const files = privateFiles({ platform: 'win32', windowsDirectory: roots.windows });
  if (anew) await makeNewKey(folder, files);
  else await loadHostKey(folder, files);
  return null;
}

async function setService(options: CarryOutOptions, program: string): Promise<string | null> {
  const { paths, service } = options;
  if ((await service.entry()) === null) await call(options, makeServiceCall(paths, program));
  for (const each of configureServiceCalls(paths, program)) await call(options, each);
  return null;
}

async function makeLogonTask(
  options: CarryOutOptions,
  { account, program }: WindowsStepOf<'make_logon_task'>,
): Promise<null> {
  const { paths, locate } = options;
  const file = win32.join(paths.dataFolder, 'logon-task.xml');
  await writeWhole(locate(file), encodeTask(writeLogonTask(account, program)), 0o600);
  try {
    await call(options, [paths.tool('schtasks'), ['/Create', '/TN', LOGON_TASK, '/XML', file, '/F']]);
  } finally {
    await rm(locate(file), { force: true });
  }
  return null;
}

function call({ runTool }: CarryOutOptions, made: ToolCall): Promise<string> {
  return callTool(runTool, made);
}

/** @returns `null` where there is no such file */
async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
