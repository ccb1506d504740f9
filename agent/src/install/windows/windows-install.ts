import { win32 } from 'node:path';
import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../../config/agent-config.js';
import { openContainerEngine } from '../../containers/open-container-engine.js';
import type { RunTool } from '../../identity/run-tool.js';
import { joinFabric } from '../../join.js';
import { windowsUpgrade } from '../../upgrade/windows/windows-upgrade.js';
import { judgeUninstall } from '../decide/judge-uninstall.js';
import { engineLeftovers } from '../engine-leftovers.js';
import type { InstallRequest, InstallSystem } from '../install-steps.js';
import { newKeyFolder } from '../new-key.js';
import type { ProgramSource } from '../program-source.js';
import { carryOutWindowsStep } from './carry-out-windows-step.js';
import { planWindowsInstall } from './decide/plan-windows-install.js';
import { INSTALL_LOCK, SERVICE, type WindowsRoots, windowsPaths } from './decide/windows-paths.js';
import type { WindowsStep } from './decide/windows-steps.js';
import { lookAtWindows, readElevation } from './look-at-windows.js';
import { removeWhenEnded } from './remove-when-ended.js';
import { removeWindowsMade } from './remove-windows-made.js';
import { type Pause, type ServiceManager, serviceManager } from './service-manager.js';

export interface WindowsInstallOptions {
  readonly roots: WindowsRoots;
  /** The name of whoever installs. */
  readonly user: string;
  /** Of the service: its state directory, and a host's name where one was asked for. */
  readonly readConfig: (name: string | null) => AgentConfig;
  readonly findProgram: (request: InstallRequest) => Promise<ProgramSource>;
  /** The running program, where it is one file. */
  readonly own: string | null;
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly pause: Pause;
  readonly random: Random;
  readonly log: Logger;
}

/** An install as a service of Windows. */
export function windowsInstall(options: WindowsInstallOptions): InstallSystem<WindowsStep> {
  const { roots, user, own, runTool, clock, pause, random, log, readConfig } = options;
  const paths = windowsPaths(roots);
  const locate = (path: string): string => path;
  const serviceOf = (name: string): ServiceManager => serviceManager({ name, paths, runTool, clock, pause });
  const service = serviceOf(SERVICE);
  const effects = { roots, paths, locate, service, runTool };
  const join = async (server: string, request: InstallRequest, force: boolean): Promise<string> => {
    const { token, name, newIdentity } = request;
    const config = readConfig(name);
    const joined = await joinFabric(
      newIdentity ? { ...config, credentialsDirectory: newKeyFolder(paths.dataFolder) } : config,
      { server, token: token ?? '', force },
      { clock, random, log },
    );
    return `as ${joined.hostName}`;
  };
  return {
    recordPath: paths.recordFile,
    stateDirectory: paths.dataFolder,
    lockPath: INSTALL_LOCK,
    service: {
      runs: async () => !['absent', 'stopped', 'stop_pending'].includes(await service.state()),
      start: () => service.start(),
      startCommand: `Start-Service ${SERVICE}`,
    },
    plan: async (request) => {
      const findProgram = (): Promise<ProgramSource> => options.findProgram(request);
      const facts = await lookAtWindows({ ...effects, findProgram, user, nowMs: clock.nowMs() });
      return planWindowsInstall(paths, facts, request);
    },
    carryOut: (step, request) => carryOutWindowsStep({ ...effects, join }, step, request),
    remove: async (made) => {
      await removeWindowsMade(
        { ...effects, serviceOf, own, removeLater: (file) => removeWhenEnded(file, roots.windows) },
        made,
      );
      return [];
    },
    storageWithin: () => Promise.resolve(null),
    leftovers: async () => [
      ...(await engineLeftovers(openContainerEngine({ platform: 'win32', clock, log }), log)),
      `what its service told the event log: Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'nssm' }`,
      ...(isWithin(own, paths.programFolder)
        ? ['its own file in Windows’ Temp folder, until it has ended']
        : []),
    ],
    refuseUninstall: async () => {
      if ((await readElevation(effects)) !== 'elevated') {
        return {
          ...{ code: 'not_elevated', detail: 'Only an administrator may take a service away.' },
          fix: 'Open PowerShell by "Run as administrator", and run it there.',
        };
      }
      // One that is damaged is no reason to keep all the rest.
      const upgrades = windowsUpgrade({ roots, runTool, clock, pause });
      const record = await upgrades.readRecord().catch(() => null);
      return judgeUninstall(record, await upgrades.isFinishing(), 'win32');
    },
  };
}

function isWithin(file: string | null, folder: string): boolean {
  return file !== null && win32.dirname(file).toLowerCase().startsWith(folder.toLowerCase());
}
