import type { Command } from 'commander';
import { deploymentSchema } from '../../api/deployment-schemas.js';
import { type DeploymentEntry, mergeEntry } from '../../declared/decide/edit-deployment.js';
import type { ApiClient } from '../api-client.js';
import { connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { countChanges, formatPlan } from '../print-plan.js';
import { type EntryFlags, readEntryFlags, withEntryFlags } from './entry-flags.js';
import { planEntry } from './plan-entry.js';
import { type WaitFlags, withWait } from './verb-commands.js';
import { waitUntil } from './wait-until.js';

type DeclareFlags = EntryFlags & WaitFlags & { dryRun?: boolean };

export function addDeclareCommands(deployments: Command): void {
  const create = deployments
    .command('create <deployment>')
    .description('declare a new one, from a preset or field by field: its agent pulls, starts and proves it');
  withWait(withEntryFlags(create), 'ready')
    .option('--dry-run', 'show what would be declared, and declare nothing')
    .addHelpText(
      'after',
      `
A preset brings model, image and settings for its role; each flag beside it wins over it. What is not given has its
default, which the plan shows.

Examples:
  ai-fabric deployments create chat-motoko --host motoko --preset chat-fast
  ai-fabric deployments create chat-motoko --host motoko --preset chat-fast --context 8192 --wait --timeout 20m
  ai-fabric deployments create embed --host motoko --task embeddings --model BAAI/bge-m3 --gpu 0
  ai-fabric deployments create gated --host motoko --preset chat-fast --model meta-llama/Llama-3.1-8B-Instruct \\
    --env HF_TOKEN=env:HF_TOKEN                           # read on the host, by its agent`,
    );
  withConnection(create).action(async (name: string, flags: DeclareFlags) => {
    const client = connect(flags);
    const declare = (entry: DeploymentEntry, expectedRevision: number) =>
      client.post('/deployments', { name, deployment: entry, expectedRevision }, deploymentSchema);
    await declareAfterPlan(client, name, flags, (before) => {
      if (before !== null) {
        const fix = `change it: ai-fabric deployments set ${name} …`;
        throw new CliError(exitCodes.refused, `there is a deployment called "${name}" already`, fix);
      }
      const entry = { engine: 'vllm', ...readEntryFlags(flags) };
      return { entry, declare: (revision) => declare(entry, revision) };
    });
  });

  const set = deployments
    .command('set <deployment>')
    .description('change fields; its container is drained and made anew where what it is made from changed');
  withWait(withEntryFlags(set), 'ready')
    .option('--unset <field...>', 'fields that have their default again, as contextTokens')
    .option('--dry-run', 'show what would change, and change nothing')
    .addHelpText(
      'after',
      `
Only what is given changes; a list or a mapping is replaced as a whole.

Examples:
  ai-fabric deployments set chat-motoko --context 8192 --max-concurrent 8
  ai-fabric deployments set chat-motoko --image vllm/vllm-openai:v0.11.0 --wait
  ai-fabric deployments set chat-motoko --unset contextTokens quantization --dry-run`,
    );
  withConnection(set).action(async (name: string, flags: DeclareFlags & { unset?: readonly string[] }) => {
    const client = connect(flags);
    const path = `/deployments/${encodeURIComponent(name)}`;
    await declareAfterPlan(client, name, flags, (before) => {
      if (before === null) throw new CliError(exitCodes.notFound, `no deployment is called "${name}"`);
      const unset = Object.fromEntries((flags.unset ?? []).map((field) => [field, null]));
      const changes = { ...readEntryFlags(flags), ...unset };
      if (Object.keys(changes).length === 0) {
        throw new CliError(exitCodes.usage, 'nothing to change was given', 'see --help for the fields');
      }
      return {
        entry: mergeEntry(before, changes),
        declare: (expectedRevision) => client.patch(path, { changes, expectedRevision }, deploymentSchema),
      };
    });
  });
}

interface Declaration {
  /** What is to stand in the fabric file. */
  readonly entry: DeploymentEntry;
  readonly declare: (expectedRevision: number) => Promise<unknown>;
}

/** Shows what is about to change, as "diff" does, then declares exactly that. */
async function declareAfterPlan(
  client: ApiClient,
  name: string,
  flags: DeclareFlags,
  make: (before: DeploymentEntry | null) => Declaration,
): Promise<void> {
  const {
    made: { declare },
    plan,
  } = await planEntry(client, name, make);
  const tell = (text: string) => {
    if (text !== '') (flags.json ? console.error : console.log)(text);
  };
  tell(formatPlan(plan));
  if (flags.dryRun) {
    if (flags.json) printJson(plan);
    tell(`${countChanges(plan)} (revision ${plan.revision}); nothing was declared`);
    return;
  }
  const item = await declare(plan.revision);
  if (flags.wait) {
    await waitUntil(client, name, 'ready', { timeoutSeconds: flags.timeout, json: flags.json === true });
  } else if (flags.json) printJson(item);
  else console.log(plan.changes.length === 0 ? 'nothing to change' : `declared: ${countChanges(plan)}`);
}
