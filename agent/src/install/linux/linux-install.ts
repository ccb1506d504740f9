import { readdir } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from '../../config/agent-config.js';
import type { ContainerEngine } from '../../containers/container-engine.js';
import { openContainerEngine } from '../../containers/open-container-engine.js';
import type { RunTool } from '../../identity/run-tool.js';
import { joinFabric } from '../../join.js';
import { linuxUpgrade } from '../../upgrade/linux/linux-upgrade.js';
import { FINISHING_SERVICE } from '../../upgrade/linux/upgrade-paths.js';
import { judgeUninstall } from '../decide/judge-uninstall.js';
import { engineLeftovers, ownEngineLeftovers } from '../engine-leftovers.js';
import type { InstallRequest, InstallSystem } from '../install-steps.js';
import { newKeyFolder } from '../new-key.js';
import type { ProgramSource } from '../program-source.js';
import { carryOutStep, giveState } from './carry-out-step.js';
import {
  ACCOUNT,
  CONFIG_FOLDER,
  ENGINE_DROP_IN,
  ENGINE_DROP_IN_FOLDER,
  INSTALL_LOCK,
  ownPodmanSocket,
  RECORD_FILE,
  ROOTLESS_STORAGE,
  SERVICE,
  STATE_FOLDER,
} from './decide/linux-paths.js';
import type { LinuxStep } from './decide/linux-steps.js';
import { planLinuxInstall } from './decide/plan-linux-install.js';
import { lookAtLinux } from './look-at-linux.js';
import { removeMade } from './remove-made.js';
import { isServiceUp } from './service-state.js';

export interface LinuxInstallOptions {
  /** Of the service: its state directory, and a host's name where one was asked for. */
  readonly readConfig: (name: string | null) => AgentConfig;
  readonly findProgram: (request: InstallRequest) => Promise<ProgramSource>;
  readonly runTool: RunTool;
  readonly isRoot: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What stands before all paths; in tests alone. */
  readonly root?: string;
}

/** An install as a service of systemd. */
export function linuxInstall(options: LinuxInstallOptions): InstallSystem<LinuxStep> {
  const { clock, log, random, isRoot, root = '', readConfig } = options;
  const runTool = withAdminFolders(options.runTool);
  const join_ = async (server: string, request: InstallRequest, force: boolean): Promise<string> => {
    const { token, name, newIdentity } = request;
    const folder = join(root, CONFIG_FOLDER);
    const config = {
      ...readConfig(name),
      credentialsDirectory: newIdentity ? newKeyFolder(folder) : folder,
    };
    const joined = await joinFabric(config, { server, token: token ?? '', force }, { clock, random, log });
    return `as ${joined.hostName}`;
  };
  // Others cannot look into it, and may take nothing away.
  const storageWithin = async (): Promise<string | null> =>
    isRoot && (await holdsSomething(join(root, ROOTLESS_STORAGE))) ? ROOTLESS_STORAGE : null;
  const openOwnEngine = async (): Promise<ContainerEngine> => {
    const uid = await runTool('id', ['-u', ACCOUNT]).catch(() => 'nobody');
    const endpoints = [join(root, ownPodmanSocket(uid.trim()))];
    return openContainerEngine({ platform: 'linux', endpoints, clock, log });
  };
  return {
    recordPath: join(root, RECORD_FILE),
    stateDirectory: join(root, STATE_FOLDER),
    lockPath: isRoot ? join(root, INSTALL_LOCK) : null,
    service: {
      runs: () => isServiceUp(runTool),
      start: async () => {
        await giveState(root, runTool);
        await runTool('systemctl', ['start', SERVICE]);
      },
      startCommand: 'sudo systemctl start ai-fabric-agent',
    },
    plan: async (request) => {
      const findProgram = (): Promise<ProgramSource> => options.findProgram(request);
      const facts = await lookAtLinux({ root, isRoot, findProgram, runTool, nowMs: clock.nowMs() });
      return planLinuxInstall(facts, request);
    },
    carryOut: (step, request) => carryOutStep({ root, runTool, join: join_ }, step, request),
    remove: (made) => removeMade(made, root, runTool),
    storageWithin,
    leftovers: async (purge) => {
      const found = await engineLeftovers(openContainerEngine({ platform: 'linux', clock, log }), log);
      const storage = purge ? null : await storageWithin();
      return [
        ...found,
        ...(storage === null ? [] : await ownEngineLeftovers(await openOwnEngine(), storage, log)),
        ...(await findOwnersDropIns(root)),
        `what it logged, in the journal: journalctl -u ${SERVICE}`,
      ];
    },
    refuseUninstall: async () => {
      if (!isRoot) {
        return { code: 'not_root', detail: 'Only root may take a service away.', fix: 'Run it with sudo.' };
      }
      // One that is damaged is no reason to keep all the rest.
      const upgrade = await linuxUpgrade({ runTool, root })
        .readRecord()
        .catch(() => null);
      const isWorkedOn = await runTool('systemctl', ['is-active', '--quiet', FINISHING_SERVICE]).then(
        () => true,
        () => false,
      );
      return judgeUninstall(upgrade, isWorkedOn, 'linux');
    },
  };
}

/** "systemctl edit" puts settings there; a later install runs with them. */
async function findOwnersDropIns(root: string): Promise<readonly string[]> {
  const names = await readdir(join(root, ENGINE_DROP_IN_FOLDER)).catch(() => []);
  return names
    .filter((name) => name !== basename(ENGINE_DROP_IN))
    .map((name) => `settings of yours: ${join(ENGINE_DROP_IN_FOLDER, name)}`);
}

async function holdsSomething(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) return false;
    throw error;
  }
}

/** Whoever is root without having logged in as such may have no folder of root's tools in the path. */
function withAdminFolders(runTool: RunTool): RunTool {
  return async (file, args) => {
    try {
      return await runTool(file, args);
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing || isAbsolute(file)) throw error;
      return runTool(`/usr/sbin/${file}`, args);
    }
  };
}
