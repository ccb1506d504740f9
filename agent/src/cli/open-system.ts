import { userInfo } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { BUILD, systemClock } from '@ai-fabric/shared';
import type { AgentConfig } from '../config/agent-config.js';
import { readAgentConfig } from '../config/read-agent-config.js';
import type { HostFacts, ServiceFacts } from '../doctor/host-checks.js';
import type { RunTool } from '../identity/run-tool.js';
import type { InstallSystem } from '../install/install-steps.js';
import { windowsPaths } from '../install/windows/decide/windows-paths.js';
import { isSingleExecutable } from '../own-program.js';
import { AGENT_VERSION } from '../version.js';

/** A service that stops is given 15 s for it, and a busy machine more. */
const TOOL_MS = 90_000;

/** This system's way to have services. @throws InstallRefusedError where there is none */
export async function openSystem(): Promise<InstallSystem> {
  const [{ openInstallSystem }, { InstallRefusedError }, { runToolWithin }, { default: pino }] =
    await Promise.all([
      import('../install/open-install-system.js'),
      import('../install/install-errors.js'),
      import('../identity/run-tool.js'),
      import('pino'),
    ]);
  const system = openInstallSystem({
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    folders: readAgentConfig().folders,
    user: userInfo().username,
    readConfig: (flags) => readAgentConfig(flags),
    own: isSingleExecutable() ? process.execPath : null,
    ownVersion: AGENT_VERSION,
    releaseKey: BUILD.releaseKey,
    runTool: runToolWithin(TOOL_MS),
    clock: systemClock(),
    pause,
    random: Math.random,
    log: pino({ level: 'silent' }),
  });
  if (system !== null) return system;
  const detail = `On ${process.platform} an agent cannot be installed as a service.`;
  const fix = 'Run "ai-fabric-agent join" and "ai-fabric-agent run" from whatever starts programs here.';
  throw new InstallRefusedError([{ code: 'not_supported_here', detail, fix }]);
}

/** What is known of this host now. @param looksItself where no agent answers, this machine is looked at */
export async function readHost(config: AgentConfig, looksItself: boolean): Promise<HostFacts> {
  const [{ readHostFacts }, { runTool }, { default: pino }] = await Promise.all([
    import('../doctor/read-host-facts.js'),
    import('../identity/run-tool.js'),
    import('pino'),
  ]);
  const { platform, folders } = config;
  return readHostFacts({
    ...{ config, looksItself },
    readService: () => readService(config, runTool),
    readWindows: async () => {
      if (platform !== 'win32') return null;
      const { readWindowsHost } = await import('../doctor/read-windows-host.js');
      return readWindowsHost(folders, runTool);
    },
    clock: systemClock(),
    random: Math.random,
    log: pino({ level: 'silent' }),
  });
}

/** What this system says of the agent's service; `null`: it has none. */
export async function readServiceFacts(config: AgentConfig): Promise<ServiceFacts | null> {
  const { runTool } = await import('../identity/run-tool.js');
  return readService(config, runTool);
}

async function readService(
  { platform, folders }: AgentConfig,
  runTool: RunTool,
): Promise<ServiceFacts | null> {
  if (platform === 'linux') {
    const { readServiceState } = await import('../install/linux/service-state.js');
    return readServiceState(runTool);
  }
  if (platform !== 'win32') return null;
  const { readWindowsServiceState } = await import('../install/windows/windows-service-state.js');
  return readWindowsServiceState({ paths: windowsPaths(folders), runTool, clock: systemClock(), pause });
}
