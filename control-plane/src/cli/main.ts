import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.js';
import { applyCommand } from './commands/apply-command.js';
import { auditCommand } from './commands/audit-command.js';
import { backupCommand } from './commands/backup-command.js';
import { checksCommand } from './commands/checks-command.js';
import { demoCommand } from './commands/demo-command.js';
import { deploymentsCommand } from './commands/deployments-command.js';
import { diffCommand } from './commands/diff-command.js';
import { doctorCommand } from './commands/doctor-command.js';
import { driftCommand } from './commands/drift-command.js';
import { exportCommand } from './commands/export-command.js';
import { hostsCommand } from './commands/hosts-command.js';
import { importCommand } from './commands/import-command.js';
import { keysCommand } from './commands/keys-command.js';
import { logLevelCommand } from './commands/log-level-command.js';
import { logsCommand } from './commands/logs-command.js';
import { modelsCommand } from './commands/models-command.js';
import { requestsCommand } from './commands/requests-command.js';
import { restoreCommand } from './commands/restore-command.js';
import { rolesCommand } from './commands/roles-command.js';
import { smokeCommand } from './commands/smoke-command.js';
import { tokenCommand } from './commands/token-command.js';
import { upCommand } from './commands/up-command.js';
import { usageCommand } from './commands/usage-command.js';
import { nameBadArgument } from './decide/name-bad-argument.js';
import { endWithReader } from './end-with-reader.js';
import { CliError, exitCodes, exitCodesHelp } from './exit-codes.js';

const program = new Command('ai-fabric')
  .description(
    'One OpenAI-compatible address that answers by role from whatever hardware can answer best right now.',
  )
  .version(VERSION, '-V, --version')
  .addCommand(upCommand())
  .addCommand(demoCommand())
  .addCommand(tokenCommand())
  .addCommand(hostsCommand())
  .addCommand(deploymentsCommand())
  .addCommand(rolesCommand())
  .addCommand(logsCommand())
  .addCommand(modelsCommand())
  .addCommand(doctorCommand())
  .addCommand(smokeCommand())
  .addCommand(checksCommand())
  .addCommand(auditCommand())
  .addCommand(keysCommand())
  .addCommand(requestsCommand())
  .addCommand(usageCommand())
  .addCommand(diffCommand())
  .addCommand(applyCommand())
  .addCommand(exportCommand())
  .addCommand(driftCommand())
  .addCommand(importCommand())
  .addCommand(logLevelCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand());

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
