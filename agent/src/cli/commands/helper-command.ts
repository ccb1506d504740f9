import { Command } from 'commander';
import { helperVerbSchema } from '../../root-helper/helper-verbs.js';
import { exitCodes, UsageError } from '../exit-codes.js';

/** What the unit `ai-fabric-agent-helper@VERB.service` runs; nobody else needs it. */
export function helperCommand(): Command {
  return new Command('helper')
    .description('Do as root what an agent that is not root asks for; started by its unit')
    .argument('<VERB>', helperVerbSchema.options.join(', '))
    .action(serve);
}

async function serve(text: string): Promise<void> {
  const verb = helperVerbSchema.safeParse(text);
  if (!verb.success) throw new UsageError(`The helper knows no ${JSON.stringify(text.slice(0, 80))}.`);
  if (process.getuid?.() !== 0) throw new UsageError('The helper is for root alone: its unit starts it.');
  const [{ serveVerb }, { readAgentPolicy }, { runTool }, { POLICY_FILE }, { takeIn }] = await Promise.all([
    import('../../root-helper/serve-verb.js'),
    import('../../replica/policy/read-agent-policy.js'),
    import('../../identity/run-tool.js'),
    import('../../install/linux/decide/linux-paths.js'),
    import('../../upgrade/linux/take-in.js'),
  ]);
  const readPolicy = () => readAgentPolicy(POLICY_FILE);
  const upgrade = () => takeIn(async () => (await readPolicy()).upgrades);
  const isDone = await serveVerb(verb.data, { runTool, readPolicy, upgrade });
  if (!isDone) process.exitCode = exitCodes.failed;
}
