import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.js';
import { demoCommand } from './commands/demo-command.js';
import { deploymentsCommand } from './commands/deployments-command.js';
import { hostsCommand } from './commands/hosts-command.js';
import { rolesCommand } from './commands/roles-command.js';
import { tokenCommand } from './commands/token-command.js';
import { upCommand } from './commands/up-command.js';
import { CliError, exitCodes, exitCodesHelp } from './exit-codes.js';

const program = new Command('ai-fabric')
  .description(
    'One OpenAI-compatible address that answers by role from whatever hardware can answer best right now.',
  )
  .version(VERSION, '-V, --version')
  .addHelpText('after', exitCodesHelp)
  .addCommand(upCommand())
  .addCommand(demoCommand())
  .addCommand(tokenCommand())
  .addCommand(hostsCommand())
  .addCommand(deploymentsCommand())
  .addCommand(rolesCommand());

overrideExits(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Commander would end the process by itself, with codes of its own; neither setting is handed down to subcommands. */
function overrideExits(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help says more)');
  for (const each of command.commands) overrideExits(each);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CliError) {
    console.error(`error: ${error.message}`);
    if (error.fix) console.error(`fix: ${error.fix}`);
    return error.exitCode;
  }
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  return exitCodes.failed;
}
