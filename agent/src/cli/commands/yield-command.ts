import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import type { AgentConfig } from '../../config/agent-config.js';
import { readAgentConfig } from '../../config/read-agent-config.js';
import type { AgentStatus } from '../../status/agent-status.js';
import { askStatus, askVerb } from '../../status/status-socket.js';
import { describeCards } from '../decide/format-status.js';
import { startLine } from '../decide/start-line.js';
import { exitCodes, exitCodesOf } from '../exit-codes.js';
import { printJson } from '../output.js';

interface YieldOptions {
  readonly state?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** The longest drain that can be declared, and the time to free a card after it. */
const WAIT_AT_MOST_MS = 750_000;
const LOOK_EVERY_MS = 250;

export function yieldCommand(): Command {
  return new Command('yield')
    .description(
      'Give the cards of this host to its owner: requests that run are finished, then the cards are freed',
    )
    .option('--state <DIR>', 'the directory of the agent that is asked')
    .option('--no-wait', 'do not wait until the cards are free')
    .option('--json', 'print "status --json" as it is afterwards')
    .addHelpText(
      'after',
      `
Holds until "unyield", also across restarts of the agent and of the machine. Needs the account that the agent
runs as: root, or on Windows a prompt that was started as Administrator.

Examples:
  ai-fabric-agent yield
  ai-fabric-agent yield --no-wait
${exitCodesOf('ok', ['failed', 'no agent runs here, or the cards are not free'], 'usage')}`,
    )
    .action((options: YieldOptions) => ask('yield', options));
}

export function unyieldCommand(): Command {
  return new Command('unyield')
    .description('Give the cards of this host back to the fabric, whatever else runs on them')
    .option('--state <DIR>', 'the directory of the agent that is asked')
    .option('--json', 'print "status --json" as it is afterwards')
    .addHelpText(
      'after',
      `
Also takes back what an operator gave. What runs on a card now does not count until it was gone for once.

Examples:
  ai-fabric-agent unyield
${exitCodesOf('ok', ['failed', 'no agent runs here'], 'usage')}`,
    )
    .action((options: YieldOptions) => ask('unyield', { ...options, wait: false }));
}

async function ask(verb: 'yield' | 'unyield', { state, wait, json }: YieldOptions): Promise<void> {
  const config = readAgentConfig({ state });
  const { stateDirectory, platform } = config;
  let status = await askVerb(stateDirectory, platform, verb);
  const giveUpAtMs = performance.now() + WAIT_AT_MOST_MS;
  while (wait && status?.owner?.state === 'yielding' && performance.now() < giveUpAtMs) {
    await pause(LOOK_EVERY_MS);
    status = await askStatus(stateDirectory, platform);
  }
  if (json) printJson(status === null ? { running: false } : { running: true, ...status });
  else console.log(status === null ? noAgent(config, state) : describeCards(status));
  if (!isDone(verb, status, wait)) process.exitCode = exitCodes.failed;
}

function isDone(verb: 'yield' | 'unyield', status: AgentStatus | null, wait = false): boolean {
  const owner = status?.owner?.state;
  if (owner === undefined) return false;
  if (verb === 'unyield') return owner === 'serving';
  return owner === 'yielded' || (!wait && owner === 'yielding');
}

function noAgent(config: AgentConfig, state: string | undefined): string {
  const line = startLine({ platform: config.platform, isService: config.isService, state });
  return `No agent runs here, so that none has the cards. Start it: ${line}`;
}
