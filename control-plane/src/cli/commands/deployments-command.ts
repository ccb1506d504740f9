import { Command } from 'commander';
import type { z } from 'zod';
import { deploymentSchema } from '../../api/schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { percent, printJson, printTable } from '../output.js';

type Deployment = z.infer<typeof deploymentSchema>;

export function deploymentsCommand(): Command {
  const deployments = new Command('deployments').description('which model on which host: list, show, remove');
  withConnection(deployments.command('list', { isDefault: true }).description('all deployments')).action(
    async (flags: ConnectionFlags) => {
      const items = await connect(flags).list('/deployments', deploymentSchema);
      if (flags.json) printJson(items);
      else printDeployments(items);
    },
  );
  withConnection(
    deployments.command('show <deployment>').description('one deployment and its replica'),
  ).action(async (name: string, flags: ConnectionFlags) => {
    const item = await connect(flags).get(`/deployments/${encodeURIComponent(name)}`, deploymentSchema);
    if (flags.json) printJson(item);
    else printDeployment(item);
  });
  withConnection(
    deployments.command('remove <deployment>').description('remove one that no role or alias uses any more'),
  ).action(async (name: string, flags: ConnectionFlags) => {
    await connect(flags).delete(`/deployments/${encodeURIComponent(name)}`);
    if (flags.json) printJson({ name, removed: true });
    else console.log(`${name} is removed`);
  });
  return deployments.addHelpText(
    'after',
    `
Examples:
  ai-fabric deployments
  ai-fabric deployments show qwen2.5-7b-armitage --json`,
  );
}

function printDeployments(items: readonly Deployment[]): void {
  printTable(
    ['DEPLOYMENT', 'HOST', 'TASK', 'MODEL', 'PHASE', 'RUNNING', 'WAITING', 'KV'],
    items.map(({ name, host, task, servedModel, observed }) => [
      name,
      host,
      task,
      servedModel,
      observed?.status.phase ?? 'not seen',
      String(observed?.reading?.running ?? '-'),
      String(observed?.reading?.waiting ?? '-'),
      percent(observed?.reading?.kvUsageRatio),
    ]),
  );
}

function printDeployment(item: Deployment): void {
  console.log(`${item.name}: ${item.observed?.status.phase ?? 'not seen yet'}`);
  if (item.observed?.status.detail) console.log(`  because       ${item.observed.status.detail}`);
  console.log(`  host          ${item.host}`);
  console.log(`  model         ${item.servedModel} (${item.task})`);
  console.log(`  engine        ${item.engine === 'external' ? `external at ${item.url}` : item.image}`);
  if (item.engine === 'vllm') console.log(`  weights       ${item.model}`);
  console.log(`  takes         ${item.maxConcurrent} requests at once`);
  const context = item.contextTokens ?? item.observed?.status.maxModelLen;
  console.log(`  context       ${context ?? 'unknown'} tokens`);
}
