import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.js';
import type { RunTool } from '../identity/run-tool.js';
import type { InstallRequest, InstallSystem } from './install-steps.js';
import { STATE_FOLDER } from './linux/decide/linux-paths.js';
import { linuxInstall } from './linux/linux-install.js';
import { findProgram, type ProgramSource } from './program-source.js';
import {
  PROGRAM_NAME,
  type WindowsRoots,
  WRAPPER_NAME,
  windowsPaths,
} from './windows/decide/windows-paths.js';
import { windowsInstall } from './windows/windows-install.js';

export interface OpenInstallOptions {
  readonly platform: NodeJS.Platform;
  /** Of meaning on Linux. */
  readonly isRoot: boolean;
  /** Of meaning on Windows, as the next. */
  readonly folders: WindowsRoots;
  /** The name of whoever asks. */
  readonly user: string;
  /** The settings of an agent with this state directory and name. */
  readonly readConfig: (flags: { readonly state: string; readonly name: string | undefined }) => AgentConfig;
  /** The running program, where it is one file. */
  readonly own: string | null;
  readonly ownVersion: string;
  readonly releaseKey: string | null;
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** How an agent becomes a service of this system; `null`: it cannot. */
export function openInstallSystem(options: OpenInstallOptions): InstallSystem | null {
  const { platform, readConfig, own, ownVersion, releaseKey, isRoot, folders, user, ...rest } = options;
  const config = (state: string) => (name: string | null) => readConfig({ state, name: name ?? undefined });
  const search =
    (os: 'linux' | 'windows', names: readonly string[]) =>
    ({ release }: InstallRequest): Promise<ProgramSource> =>
      findProgram({ release, own, ownVersion, releaseKey, os, names });
  switch (platform) {
    case 'linux':
      return linuxInstall({
        ...{ ...rest, isRoot },
        readConfig: config(STATE_FOLDER),
        findProgram: search('linux', ['ai-fabric-agent']),
      });
    case 'win32':
      return windowsInstall({
        ...{ ...rest, user, own, roots: folders },
        readConfig: config(windowsPaths(folders).dataFolder),
        findProgram: search('windows', [PROGRAM_NAME, WRAPPER_NAME]),
      });
    default:
      return null;
  }
}
