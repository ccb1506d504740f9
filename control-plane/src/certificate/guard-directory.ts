import { userInfo } from 'node:os';
import { icaclsPath, privateAclArguments } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { type RunTool, runTool } from './run-tool.js';

export interface GuardOptions {
  readonly windowsDirectory: string;
  readonly log: Logger;
  readonly platform?: NodeJS.Platform;
  /** Who runs this program, and its commands later without elevation; never locked out. */
  readonly account?: string;
  readonly run?: RunTool;
}

/**
 * Keeps a directory of secrets from other accounts where modes do not: on Windows, through an access list that files in
 * it inherit. To be called before the first secret is written. Best effort: a disk without access lists (FAT, some
 * network shares) must not keep the control plane from working, and is told in the log.
 */
export async function guardDirectory(directory: string, options: GuardOptions): Promise<void> {
  const { windowsDirectory, log, platform = process.platform, run = runTool } = options;
  if (platform !== 'win32') return;
  const { account = userInfo().username } = options;
  try {
    await run(icaclsPath(windowsDirectory), privateAclArguments(directory, [account]));
  } catch (error) {
    log.warn(
      { directory, error: String(error) },
      'the data directory could not be kept from other accounts of this machine',
    );
  }
}
