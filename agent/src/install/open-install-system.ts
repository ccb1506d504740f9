import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.js';
import type { RunTool } from '../identity/run-tool.js';
import type { InstallSystem } from './install-steps.js';
import { STATE_FOLDER } from './linux/decide/linux-paths.js';
import { linuxInstall } from './linux/linux-install.js';
import { findProgram } from './program-source.js';

export interface OpenInstallOptions {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
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
  const { platform, readConfig, own, ownVersion, releaseKey, ...rest } = options;
  if (platform !== 'linux') return null;
  return linuxInstall({
    ...rest,
    readConfig: (name) => readConfig({ state: STATE_FOLDER, name: name ?? undefined }),
    findProgram: ({ release }) =>
      findProgram({ ...{ release, own, ownVersion, releaseKey }, os: 'linux', names: ['ai-fabric-agent'] }),
  });
}
