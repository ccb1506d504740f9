// Before any command: it gives zod what the schemas say of themselves, and in a bundle they do not wait for it.
import '@hono/zod-openapi';
import { describeBuild } from '@ai-fabric/shared';
import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.js';
import { nameBadArgument } from './decide/name-bad-argument.js';
import { endWithReader } from './end-with-reader.js';
import { CliError, exitCodes, exitCodesHelp } from './exit-codes.js';
import { loadCommands } from './load-commands.js';

const program = new Command('ai-fabric')
  .description(
    'One OpenAI-compatible address that answers by role from whatever hardware can answer best right now.',
  )
  .version(describeBuild('ai-fabric', VERSION), '-V, --version');

for (const each of await loadCommands(process.argv.slice(2))) program.addCommand(each);
prepare(program);
endWithReader([process.stdout, process.stderr], (exitCode) => process.exit(exitCode));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Commander would end the process by itself, with codes of its own; no setting is handed down to subcommands. */
function prepare(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(nameBadArgument(text)) })
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', exitCodesHelp);
  for (const each of command.commands) {
    if (command.parent !== null) each.addHelpText('after', `\nExamples: ai-fabric ${command.name()} --help`);
    prepare(each);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const message = error instanceof Error ? error.message : String(error);
  const { exitCode, fix, details } =
    error instanceof CliError ? error : { exitCode: exitCodes.failed, fix: null, details: null };
  if (process.argv.includes('--json')) {
    console.error(JSON.stringify({ error: { message, fix, exitCode, ...details } }));
  } else {
    console.error(`error: ${message}`);
    if (fix) console.error(`fix: ${fix}`);
  }
  return exitCode;
}
