import { Command } from 'commander';
import { deploymentSchema } from '../../api/deployment-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { addDeclareCommands } from '../deployments/declare-commands.js';
import { printDeployment, printDeployments } from '../deployments/print-deployments.js';
import { addRemoveCommand } from '../deployments/remove-command.js';
import { addVerbCommands } from '../deployments/verb-commands.js';
import { addWaitCommand } from '../deployments/wait-command.js';
import { printJson } from '../output.js';

export function deploymentsCommand(): Command {
  const deployments = new Command('deployments').description(
    'which model on which host: list, show, create, set, start, stop, restart, park, unpark, adopt, forget-rates, wait, rm',
  );
  withConnection(deployments.command('list', { isDefault: true }).description('all deployments')).action(
    async (flags: ConnectionFlags) => {
      const items = await connect(flags).list('/deployments', deploymentSchema);
      if (flags.json) printJson(items);
      else printDeployments(items);
    },
  );
  withConnection(
    deployments
      .command('show <deployment>')
      .description('one deployment and all that is seen of its replica'),
  ).action(async (name: string, flags: ConnectionFlags) => {
    const item = await connect(flags).get(`/deployments/${encodeURIComponent(name)}`, deploymentSchema);
    if (flags.json) printJson(item);
    else printDeployment(item);
  });
  addDeclareCommands(deployments);
  addVerbCommands(deployments);
  addWaitCommand(deployments);
  addRemoveCommand(deployments);
  return deployments.addHelpText(
    'after',
    `
Each of these but list, show, forget-rates and wait edits what is declared, and answers when that is written: "wait" waits for what the
agent makes of it.

Examples:
  ai-fabric deployments
  ai-fabric deployments show qwen2.5-7b-armitage --json
  ai-fabric deployments create chat-motoko --host motoko --preset chat-fast --wait
  ai-fabric deployments set chat-motoko --context 8192
  ai-fabric deployments restart chat-motoko && ai-fabric deployments wait chat-motoko --for ready --timeout 10m
  ai-fabric deployments park chat-motoko                 # its card is free in seconds
  ai-fabric deployments adopt chat-motoko --container vllm-motoko
  ai-fabric deployments rm chat-motoko --from-roles chat-fast
  ai-fabric deployments rm --orphans motoko`,
  );
}
