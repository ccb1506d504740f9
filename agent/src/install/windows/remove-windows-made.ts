import { rename, rm, rmdir } from 'node:fs/promises';
import type { RunTool } from '../../identity/run-tool.js';
import type { Made } from '../install-steps.js';
import { isSamePath } from './decide/parse-service.js';
import {
  EVENT_SOURCE_KEY,
  LOGON_TASK,
  SERVICE,
  UPGRADE_SERVICE,
  type WindowsPaths,
  type WindowsRoots,
} from './decide/windows-paths.js';
import { asidePath, removeLeftAside } from './left-aside.js';
import type { ServiceManager } from './service-manager.js';

export interface RemoveOptions {
  readonly roots: WindowsRoots;
  readonly paths: WindowsPaths;
  readonly locate: (path: string) => string;
  /** By its name. */
  readonly serviceOf: (name: string) => ServiceManager;
  readonly runTool: RunTool;
  /** The running program, where it is one file: Windows lets nobody remove that. */
  readonly own: string | null;
  /** Removes a file when this process has ended. */
  readonly removeLater: (file: string) => void;
}

/** The wrapper and scanners hold files for a moment after their end. */
const HELD = { recursive: true, force: true, maxRetries: 20, retryDelay: 250 } as const;

/** Takes away what an install made; what is gone already is no error. @throws Error */
export async function removeWindowsMade(options: RemoveOptions, { kind, what }: Made): Promise<void> {
  const { paths, runTool } = options;
  switch (kind) {
    case 'service':
      return removeService(options, what);
    case 'tree':
      return removeTree(options, what);
    case 'task':
      if (what !== LOGON_TASK) throw new Error(`${what} is no task of an agent`);
      return removeTask(runTool, paths.tool('schtasks'));
    case 'registry':
      if (what !== EVENT_SOURCE_KEY) throw new Error(`${what} is no key of an agent`);
      await runTool(paths.tool('reg'), ['query', what]).then(
        () => runTool(paths.tool('reg'), ['delete', what, '/f']),
        () => undefined,
      );
      return;
    case 'folder':
    case 'file':
    case 'link':
    case 'account':
    case 'membership':
    case 'lingering':
      throw new Error(`an install makes no ${kind} on Windows`);
    default:
      return kind satisfies never;
  }
}

async function removeService({ paths, serviceOf }: RemoveOptions, name: string): Promise<void> {
  if (name !== SERVICE && name !== UPGRADE_SERVICE) throw new Error(`${name} is no service of an agent`);
  const service = serviceOf(name);
  const entry = await service.entry();
  if (entry === null) return;
  // Somebody else has taken the name meanwhile.
  if (entry.image !== null && !isSamePath(entry.image, paths.wrapper)) return;
  await service.stop();
  await service.remove();
}

async function removeTask(runTool: RunTool, schtasks: string): Promise<void> {
  const isThere = await runTool(schtasks, ['/Query', '/TN', LOGON_TASK]).then(
    () => true,
    () => false,
  );
  if (isThere) await runTool(schtasks, ['/Delete', '/TN', LOGON_TASK, '/F']);
}

async function removeTree(options: RemoveOptions, what: string): Promise<void> {
  const { paths, locate } = options;
  if (![paths.programFolder, paths.dataFolder].includes(what)) {
    throw new Error(`${what} is no folder of an agent`);
  }
  await stepAside(options, what);
  await rm(locate(what), HELD);
  // Where nothing else of ours is in it.
  if (what === paths.dataFolder) await rmdir(locate(paths.vendorFolder)).catch(() => undefined);
}

/** A program that runs cannot be removed, but moved: it goes from there when it has ended. */
async function stepAside({ roots, own, locate, removeLater }: RemoveOptions, folder: string): Promise<void> {
  if (own === null || !own.toLowerCase().startsWith(`${folder.toLowerCase()}\\`)) return;
  await removeLeftAside(roots, locate);
  const aside = asidePath(roots, process.pid);
  await rename(locate(own), locate(aside));
  removeLater(aside);
}
