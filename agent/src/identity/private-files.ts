import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { aclGrant, icaclsPath, privateAclArguments } from '@ai-fabric/shared';
import { type RunTool, runTool } from './run-tool.js';
import { takePlace } from './take-place.js';

/** A file of the state directory that cannot be used. The message names it and says what to do. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

/** Files that only this agent's account may read. */
export interface PrivateFiles {
  /** Makes the directory where it is missing, for this account alone. */
  prepare(directory: string): Promise<void>;
  /** `null` when there is no such file. */
  read(path: string): Promise<string | null>;
  /** Whole or not at all, on the disk when it returns. */
  write(path: string, text: string): Promise<void>;
}

export interface PrivateFilesOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly run?: RunTool;
}

const OTHERS_MAY_READ = 0o077;
const OTHERS_MAY_WRITE = 0o022;
const MAX_BYTES = 64 * 1024;

/** POSIX: modes 0700 and 0600, and a refusal to use what others can read. Windows: an ACL, as well as it goes. */
export function privateFiles(options: PrivateFilesOptions): PrivateFiles {
  const protect = options.platform === 'win32' ? windowsGuard(options) : posixGuard;
  return {
    prepare: async (directory) => {
      await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: unknown) =>
        fail(directory, 'the state directory cannot be made', error),
      );
      await protect.directory(directory);
      await access(directory, constants.W_OK | constants.R_OK).catch((error: unknown) =>
        fail(directory, 'this account cannot write to the state directory', error),
      );
    },
    read: async (path) => {
      await protect.file(path);
      return readBounded(path);
    },
    write: async (path, text) => {
      await writeAtomically(path, text).catch((error: unknown) => fail(path, 'cannot be written', error));
    },
  };
}

interface Guard {
  directory(path: string): Promise<void>;
  file(path: string): Promise<void>;
}

const posixGuard: Guard = {
  directory: async (path) => {
    const { mode } = await stat(path);
    if ((mode & OTHERS_MAY_WRITE) === 0) return;
    throw new StateFileError(
      `Others can write to ${path} (mode ${octal(mode)}) and so could replace this host's key. Fix: chmod 700 '${path}'`,
    );
  },
  file: async (path) => {
    const found = await stat(path).catch(() => null);
    if (found === null || (found.mode & OTHERS_MAY_READ) === 0) return;
    throw new StateFileError(
      `Others can read ${path} (mode ${octal(found.mode)}). Fix: chmod 600 '${path}'. ` +
        'If somebody may have copied it, delete it instead and join again.',
    );
  },
};

/** The ACL stands on the directory and is inherited, so that no file is ever there without it. */
function windowsGuard({ windowsDirectory, run = runTool }: PrivateFilesOptions): Guard {
  const icacls = icaclsPath(windowsDirectory);
  return {
    directory: async (path) => {
      // Best effort: a disk without ACLs (FAT, some network shares) must not keep an agent from working.
      const guarded = await run(icacls, privateAclArguments(path)).then(
        () => true,
        () => false,
      );
      if (!guarded) return;
      const usable = await access(path, constants.W_OK | constants.R_OK).then(
        () => true,
        () => false,
      );
      // An agent that a user runs without elevation is neither of the two: its own account then has to be a third.
      if (!usable)
        await run(icacls, [path, '/grant:r', aclGrant(userInfo().username)]).catch(() => undefined);
    },
    file: async () => undefined,
  };
}

async function readBounded(path: string): Promise<string | null> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    return fail(path, 'cannot be read', error);
  });
  if (found === null) return null;
  if (!found.isFile() || found.size > MAX_BYTES) {
    throw new StateFileError(`${path} is not a file that an agent wrote. Move it away and start again.`);
  }
  return readFile(path, 'utf8').catch((error: unknown) => fail(path, 'cannot be read', error));
}

/** A crash leaves the old content or the new, never half of it: write beside, sync, rename. */
async function writeAtomically(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.new`;
  await rm(beside, { force: true });
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await takePlace(beside, path).catch(async (error: unknown) => {
    await rm(beside, { force: true });
    throw error;
  });
}

function fail(path: string, what: string, error: unknown): never {
  const code = codeOf(error);
  const fix =
    code === 'EACCES' || code === 'EPERM'
      ? ' Run as the account that owns it (a service: root or SYSTEM), or choose another directory with --state.'
      : code === 'ENOSPC'
        ? ' The disk is full: make room and start again.'
        : '';
  throw new StateFileError(`${path}: ${what} (${code}).${fix}`, { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}
