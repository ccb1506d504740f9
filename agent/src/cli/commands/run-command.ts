import { uptime } from 'node:os';
import { type GoodbyeReason, STOP_SIGNALS, type UpgradeMode } from '@ai-fabric/shared';
import { Command } from 'commander';
import type { AgentDependencies } from '../../agent-dependencies.js';
import type { AgentConfig } from '../../config/agent-config.js';
import { readAgentConfig } from '../../config/read-agent-config.js';
import { readPassedVariables } from '../../config/read-passed-variables.js';
import { elapsedWithSleep } from '../../reporter/elapsed-with-sleep.js';
import type { Agent } from '../../start-agent.js';
import type { AgentStatus } from '../../status/agent-status.js';
import { exitCodes, exitCodesOf } from '../exit-codes.js';
import { printJson } from '../output.js';
import { releaseStartupMemory } from '../release-startup-memory.js';

interface RunOptions {
  readonly state?: string;
  readonly server?: string;
  readonly logLevel?: string;
  readonly json?: boolean;
}

/** Whoever stops a service does not wait long; what is not closed by then is closed by the end of the process. */
const STOP_DEADLINE_MS = 1_800;
/** By then the host was described, which takes most of what the start takes. */
const SETTLED_MS = 4_000;

export function runCommand(): Command {
  return new Command('run')
    .description(
      'Report this host to its control plane and keep its replicas as declared, until told to stop',
    )
    .option('--state <DIR>', 'the directory that "join" wrote to')
    .option(
      '--policy <FILE>',
      'what the control plane may do with this host; by default agent.yaml beside the state',
    )
    .option('--server <URL>', 'another way to the same control plane; its pinned certificate stays')
    .option('--log-level <LEVEL>', 'fatal, error, warn, info, debug, trace or silent')
    .option(
      '--json',
      'print what "status --json" prints once it is linked; the log then goes to standard error',
    )
    .addHelpText(
      'after',
      `
Logs are lines of JSON on standard output. It keeps trying while the control plane is away.

Examples:
  ai-fabric-agent run
  ai-fabric-agent run --json 2>agent.log
  AI_FABRIC_AGENT_NVIDIA_SMI=/opt/nvidia-smi ai-fabric-agent run --log-level debug

Settings from the environment: AI_FABRIC_AGENT_STATE, _NAME, _SERVER, _NVIDIA_SMI, _GPU_CADENCE_MS,
_HOST_CADENCE_MS, _ENGINE_CADENCE_MS, _BUFFER_BYTES, _CONTAINER_ENGINE, _POLICY, _HELPER, _POWER_SHIM, _LOG_LEVEL
${exitCodesOf('ok', 'failed', 'usage', 'notJoined')}`,
    )
    .action(run);
}

async function run(options: RunOptions): Promise<void> {
  const config = readAgentConfig(options);
  // The rest is loaded now, so that help and errors of usage come at once.
  const [
    { startAgent },
    { openRecipe },
    { readAgentPolicy },
    { readStopReason },
    { systemClock, tellPolicy },
    { default: pino },
  ] = await Promise.all([
    import('../../start-agent.js'),
    import('../../replica/recipe/open-recipe.js'),
    import('../../replica/policy/read-agent-policy.js'),
    import('../../power/read-stop-reason.js'),
    import('@ai-fabric/shared'),
    import('pino'),
  ]);
  const { json = false } = options;
  const log = pino({ level: config.logLevel, base: null }, pino.destination(json ? 2 : 1));
  const clock = systemClock();
  const policy = await readAgentPolicy(config.policyPath);
  const { yield: ownYield } = policy;
  const openUpgrades = await chooseUpgrades(config, policy.upgrades, async () => {
    return (await readAgentPolicy(config.policyPath)).upgrades;
  });
  const variables = readPassedVariables(policy.hostVariables);
  const agent = await startAgent(config, {
    openRecipe: (memory, host) => openRecipe(policy, { ...host, variables }, memory),
    policy: tellPolicy(policy),
    ownYield,
    clock,
    random: Math.random,
    log,
    elapsedMs: elapsedWithSleep(() => clock.monotonicMs(), uptime),
    ...(openUpgrades === null ? {} : { openUpgrades }),
    ...(json ? { onLinked: once((status) => printJson({ running: true, ...status })) } : {}),
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'agent: an error that nobody took; a service manager starts it anew');
    process.exit(exitCodes.failed);
  });
  clock.after(SETTLED_MS, releaseStartupMemory);
  if (config.platform === 'win32') {
    const { pruneLogs } = await import('../../install/windows/prune-logs.js');
    pruneLogs(config.stateDirectory, clock);
  }
  const { platform, folders } = config;
  await stopOnSignal(agent, () =>
    readStopReason({ platform, windowsDirectory: folders.windows, clock, log }),
  );
  process.exit(exitCodes.ok);
}

/** @returns `null`: this agent is no service that an install made, and refuses what it is offered */
async function chooseUpgrades(
  { asksHelper, replacesItself, folders }: AgentConfig,
  mode: UpgradeMode,
  readMode: () => Promise<UpgradeMode>,
): Promise<NonNullable<AgentDependencies['openUpgrades']> | null> {
  if (asksHelper) {
    const { openLinuxUpgrades } = await import('../../upgrade/linux/open-linux-upgrades.js');
    return (parts) => openLinuxUpgrades(parts, mode);
  }
  if (!replacesItself) return null;
  const { openWindowsUpgrades } = await import('../../upgrade/windows/open-windows-upgrades.js');
  return (parts) => openWindowsUpgrades(parts, { roots: folders, mode, readMode });
}

/** Links come again and again; who waits for the first wants to hear of that one. */
function once(tell: (status: AgentStatus) => void): (status: AgentStatus) => void {
  let told = false;
  return (status) => {
    if (!told) tell(status);
    told = true;
  };
}

/** Resolves when the agent has said goodbye. A second signal ends the process at once. */
async function stopOnSignal(agent: Agent, readReason: () => Promise<GoodbyeReason>): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of STOP_SIGNALS) {
      process.on(signal, () => {
        resolve();
        process.on(signal, () => process.exit(exitCodes.failed));
      });
    }
  });
  const [reason, isReplaced] = await Promise.all([readReason(), agent.isBeingReplaced()]);
  const deadline = setTimeout(() => process.exit(exitCodes.ok), STOP_DEADLINE_MS);
  // Its replicas run on and are the next one's: nobody is to put others in their place.
  await agent.close(reason === 'service_stop' && isReplaced ? 'restart' : reason);
  clearTimeout(deadline);
}
