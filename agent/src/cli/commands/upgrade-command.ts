import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { readAgentConfig } from '../../config/read-agent-config.js';
import type { AgentStatus } from '../../status/agent-status.js';
import { askStatus, askVerb } from '../../status/status-socket.js';
import { AGENT_VERSION } from '../../version.js';
import { askYes, canAsk } from '../ask-yes.js';
import { describeUpgrade } from '../decide/format-status.js';
import { exitCodes, exitCodesOf, UsageError } from '../exit-codes.js';
import { printJson } from '../output.js';

interface UpgradeOptions {
  readonly state?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

type Told = NonNullable<AgentStatus['upgrade']>;

/** Over a slow line the release alone takes half an hour. */
const WAIT_AT_MOST_MS = 3_900_000;
const LOOK_EVERY_MS = 500;

export function upgradeCommand(): Command {
  return new Command('upgrade')
    .description('Put the newer agent in place that the control plane offers')
    .option('--state <DIR>', 'the directory of the agent that is asked; by default the service’s')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what came of it as JSON')
    .addHelpText(
      'after',
      `
"ai-fabric hosts upgrade HOST" on the control plane offers it. This fetches the release from there, proves its signature, puts
it beside the version that runs and starts it; containers run on. Where it is not linked within two minutes, the version before
comes back by itself. "upgrades" in agent.yaml says what becomes of offers: off, confirm (wait for this), auto. Needs root;
on Windows an administrator.

Examples:
  sudo ai-fabric-agent upgrade
  sudo ai-fabric-agent upgrade --yes --json
${exitCodesOf(['ok', 'done, or nothing is offered'], ['failed', 'no agent runs here, or the version before runs on; the message says why'], 'usage')}`,
    )
    .action(upgrade);
}

async function upgrade(options: UpgradeOptions): Promise<void> {
  const { json = false } = options;
  const owner = await openOwner();
  const { stateDirectory } = readAgentConfig({ state: options.state ?? owner.stateDirectory });
  const { platform } = process;
  const status = await askStatus(stateDirectory, platform);
  if (status === null) {
    tellEnd(json, { running: false, version: AGENT_VERSION, upgrade: null }, 'No agent runs here.');
    process.exitCode = exitCodes.failed;
    return;
  }
  const offered = status.upgrade;
  if (offered === null || offered.manifestSha256 === null) {
    const said = offered === null ? 'nothing newer is offered' : describeUpgrade(offered);
    const words = `${status.version}: ${said.replace(/\.$/, '')}.`;
    tellEnd(json, { running: true, version: status.version, upgrade: offered }, words);
    return;
  }
  if (!(await isWanted(status.version, offered, options))) {
    console.log('Nothing was done.');
    return;
  }
  await owner.giveConsent(offered.manifestSha256);
  await askVerb(stateDirectory, platform, 'upgrade');
  const ended = await watch(stateDirectory, platform, offered.version, json);
  const version = ended?.version ?? null;
  const told = ended?.upgrade ?? null;
  const words = told === null ? 'It came to no end.' : describeUpgrade(told);
  tellEnd(json, { running: ended !== null, version, upgrade: told }, words);
  if (told?.phase !== 'done') process.exitCode = exitCodes.failed;
}

/** Who may say yes on this system, and where that is written down. */
interface Owner {
  /** The service's. */
  readonly stateDirectory: string;
  /** @param manifestSha256 hex */
  giveConsent(manifestSha256: string): Promise<void>;
}

/** @throws UsageError where this account may not */
async function openOwner(): Promise<Owner> {
  switch (process.platform) {
    case 'linux': {
      if (process.getuid?.() !== 0)
        throw new UsageError('Only root may upgrade the agent: run it with sudo.');
      const [{ STATE_FOLDER }, { giveConsent }] = await Promise.all([
        import('../../install/linux/decide/linux-paths.js'),
        import('../../upgrade/linux/give-consent.js'),
      ]);
      return { stateDirectory: STATE_FOLDER, giveConsent };
    }
    case 'win32': {
      const { openWindowsOwner } = await import('../../upgrade/windows/windows-owner.js');
      const owner = await openWindowsOwner(readAgentConfig().folders);
      if (owner !== null) return owner;
      throw new UsageError(
        'Only an administrator may upgrade the agent: open PowerShell by "Run as administrator".',
      );
    }
    default:
      throw new UsageError(`On ${process.platform} an agent is not upgraded by this.`);
  }
}

async function isWanted(version: string, offered: Told, { yes, json }: UpgradeOptions): Promise<boolean> {
  if (yes) return true;
  if (json || !canAsk())
    throw new UsageError(`This puts ${offered.version} in the place of ${version}: say --yes.`);
  console.log(`${offered.version} is offered, and ${version} runs. Containers run on meanwhile.`);
  return askYes('Put it in place?');
}

/** @returns the agent's status once it is over; while one agent goes and the next one comes there is none to ask */
async function watch(
  stateDirectory: string,
  platform: NodeJS.Platform,
  wanted: string,
  json: boolean,
): Promise<AgentStatus | null> {
  const giveUpAtMs = performance.now() + WAIT_AT_MOST_MS;
  let told = '';
  let status: AgentStatus | null = null;
  while (performance.now() < giveUpAtMs) {
    status = (await askStatus(stateDirectory, platform).catch(() => null)) ?? status;
    const upgrade = status?.upgrade ?? null;
    if (upgrade?.version === wanted) {
      const words = describeUpgrade(upgrade);
      if (['done', 'rolled_back', 'failed'].includes(upgrade.phase)) return status;
      if (words !== told && !json) console.log(`  ${words}`);
      told = words;
    }
    await pause(LOOK_EVERY_MS);
  }
  return status;
}

function tellEnd(json: boolean, what: Readonly<Record<string, unknown>>, words: string): void {
  if (json) printJson(what);
  else console.log(words);
}
