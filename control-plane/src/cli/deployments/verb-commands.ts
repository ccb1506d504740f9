import { type Command, Option } from 'commander';
import { deploymentSchema } from '../../api/deployment-schemas.js';
import { mergeEntry } from '../../declared/decide/edit-deployment.js';
import type { ApiClient } from '../api-client.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import type { WaitGoal } from '../decide/judge-wait.js';
import { printJson } from '../output.js';
import { parseSeconds } from '../parse-seconds.js';
import { planEntry } from './plan-entry.js';
import { waitUntil } from './wait-until.js';

export interface WaitFlags extends ConnectionFlags {
  wait?: boolean;
  timeout: number;
}

/** What each says when it is declared, and what "--wait" waits for. */
const VERBS: readonly {
  readonly verb: string;
  readonly description: string;
  readonly said: string;
  readonly goal: WaitGoal;
}[] = [
  {
    verb: 'stop',
    description: 'let its replica finish its requests, then stop the container; it stays declared',
    said: 'is to be stopped',
    goal: 'stopped',
  },
  { verb: 'start', description: 'keep its replica running again', said: 'is to run', goal: 'ready' },
  {
    verb: 'restart',
    description: 'let its replica finish its requests, then start the container anew',
    said: 'is to be restarted',
    goal: 'ready',
  },
  {
    verb: 'park',
    description: 'let its replica give its card back; the container stays, and is back in seconds',
    said: 'is to be parked',
    goal: 'parked',
  },
  { verb: 'unpark', description: 'let its replica take its card again', said: 'is to run', goal: 'ready' },
];

export function addVerbCommands(deployments: Command): void {
  for (const { verb, description, said, goal } of VERBS) {
    const command = withWait(deployments.command(`${verb} <deployment>`).description(description), goal);
    withConnection(command).action(async (name: string, flags: WaitFlags) => {
      const client = connect(flags);
      const path = `/deployments/${encodeURIComponent(name)}`;
      const item = await client.post(`${path}/${verb}`, {}, deploymentSchema);
      if (flags.wait) {
        await waitUntil(client, name, goal, { timeoutSeconds: flags.timeout, json: flags.json === true });
      } else if (flags.json) printJson(item);
      else console.log(`${name} ${said}`);
    });
  }
  addAdoptCommand(deployments);
  addForgetCommand(deployments);
}

function addForgetCommand(deployments: Command): void {
  const command = deployments
    .command('forget-rates <deployment>')
    .description('forget how fast its engine is: it is guessed, and learned anew from its answers')
    .addHelpText(
      'after',
      `
For a card or an engine that was changed in a way that nobody told. The router notices that by itself within some 25
answers. What it reckons with is shown by "show".

Example:
  ai-fabric deployments forget-rates qwen2.5-7b-armitage`,
    );
  withConnection(command).action(async (name: string, flags: ConnectionFlags) => {
    const path = `/deployments/${encodeURIComponent(name)}/forget-rates`;
    const item = await connect(flags).post(path, {}, deploymentSchema);
    if (flags.json) printJson(item);
    else console.log(`${name}: what was learned of its engine is forgotten`);
  });
}

export function withWait(command: Command, goal: WaitGoal): Command {
  return command
    .option('--wait', `until it is ${goal}`)
    .addOption(
      new Option('--timeout <time>', 'with --wait: how long at most, as 90s, 15m, 2h; exit code 1 after it')
        .argParser(parseSeconds(1))
        .default(1800, '30m'),
    );
}

function addAdoptCommand(deployments: Command): void {
  const adopt = deployments
    .command('adopt <deployment>')
    .description('take a container that runs already for its replica; nothing of it is changed')
    .option('--container <name>', 'its name on the host (default: the deployment’s)')
    .option('--release', 'no longer: the container is let go as it is, and the agent makes one of its own')
    .addHelpText(
      'after',
      `
What differs from what is declared (a missing key, a port that is open to all, missing labels) is shown as drift by
"show", and stays until you say so: stop the deployment, which drains the container and stops it, then release it and
start. With --release alone the container runs on as it is, and keeps its card from the one that is made.

Examples:
  ai-fabric deployments adopt qwen2.5-7b-armitage --container vllm-armitage
  ai-fabric deployments show qwen2.5-7b-armitage
  ai-fabric deployments stop qwen2.5-7b-armitage --wait && ai-fabric deployments adopt qwen2.5-7b-armitage --release
  ai-fabric deployments start qwen2.5-7b-armitage --wait`,
    );
  withConnection(adopt).action(
    async (name: string, flags: ConnectionFlags & { container?: string; release?: boolean }) => {
      const container = flags.release ? null : (flags.container ?? name);
      const path = `/deployments/${encodeURIComponent(name)}/adopt`;
      const client = connect(flags);
      const warnings = container === null ? [] : await warningsOfAdopting(client, name, container);
      const item = await client.post(path, { container }, deploymentSchema);
      for (const { message } of warnings) (flags.json ? console.error : console.log)(`warning: ${message}`);
      if (flags.json) printJson(item);
      else if (container === null) console.log(`${name} is to have a container of its own`);
      else console.log(`${name} is to take the container ${container}`);
    },
  );
}

/** What is no managed deployment, the control plane refuses itself. */
async function warningsOfAdopting(client: ApiClient, name: string, container: string) {
  const listed = await client.list('/deployments', deploymentSchema);
  if (!listed.some((each) => each.name === name && each.engine === 'vllm')) return [];
  const { plan } = await planEntry(client, name, (before) => ({
    entry: mergeEntry(before ?? {}, { adopt: container }),
  }));
  return plan.warnings;
}
