import { describeBuild } from '@ai-fabric/shared';
import { Command, CommanderError } from 'commander';
import { AGENT_VERSION } from '../version.js';
import { doctorCommand } from './commands/doctor-command.js';
import { finishUpgradeCommand } from './commands/finish-upgrade-command.js';
import { gpuInventoryCommand } from './commands/gpu-inventory-command.js';
import { helperCommand } from './commands/helper-command.js';
import { installCommand } from './commands/install-command.js';
import { joinCommand } from './commands/join-command.js';
import { runCommand } from './commands/run-command.js';
import { statusCommand } from './commands/status-command.js';
import { supportBundleCommand } from './commands/support-bundle-command.js';
import { uninstallCommand } from './commands/uninstall-command.js';
import { upgradeCommand } from './commands/upgrade-command.js';
import { versionCommand } from './commands/version-command.js';
import { unyieldCommand, yieldCommand } from './commands/yield-command.js';
import { endWithReader } from './end-with-reader.js';
import { exitCodes, exitCodesHelp } from './exit-codes.js';
import { reportError } from './output.js';

const program = new Command('ai-fabric-agent')
  .description('Reports this host to an AI Fabric control plane and keeps its replicas as declared.')
  .version(describeBuild('ai-fabric-agent', AGENT_VERSION), '-V, --version')
  .addHelpText(
    'after',
    `
Examples:
  ai-fabric-agent install --server https://motoko:8443 --token-file join.token
  ai-fabric-agent doctor
  ai-fabric-agent status
  ai-fabric-agent support-bundle
  ai-fabric-agent yield
${exitCodesHelp}`,
  )
  .addCommand(installCommand())
  .addCommand(upgradeCommand())
  .addCommand(uninstallCommand())
  .addCommand(doctorCommand())
  .addCommand(joinCommand())
  .addCommand(runCommand())
  .addCommand(statusCommand())
  .addCommand(supportBundleCommand())
  .addCommand(yieldCommand())
  .addCommand(unyieldCommand())
  .addCommand(versionCommand())
  .addCommand(helperCommand(), { hidden: true })
  .addCommand(finishUpgradeCommand(), { hidden: true })
  .addCommand(gpuInventoryCommand(), { hidden: true });

overrideExits(program);
endWithReader([process.stdout, process.stderr], (exitCode) => process.exit(exitCode));

// Not awaited here: a single executable is CommonJS, which waits for nothing on its way in.
program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else process.exitCode = reportError(error, process.argv.includes('--json'));
});

/** Commander would end the process by itself, with codes of its own; neither setting is handed down to subcommands. */
function overrideExits(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help says more)');
  for (const each of command.commands) overrideExits(each);
}
