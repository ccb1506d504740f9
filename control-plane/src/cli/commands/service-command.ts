import { Command, InvalidArgumentError } from 'commander';
import type { InstallFlags } from '../service/actions/install-action.js';

const WAIT = 'how long the service may take until it answers (default: 90)';

export function serviceCommand(): Command {
  const service = new Command('service').description(
    'the control plane as a service of this machine: what install-control-plane.sh calls',
  );
  addInstall(service);
  withCommon(service.command('rollback').description('return to the version before the last upgrade'))
    .option('--registry', 'put its registry back as well, where it could go on with the present one')
    .addHelpText(
      'after',
      `
The registry is put back where the newer version changed its form: the older one could not read it. What was written
since is then kept in .before-restore-TIME within the data directory. Otherwise the present one stays.

Examples:
  sudo ai-fabric service rollback
  sudo ai-fabric service rollback --registry`,
    )
    .action(async (flags) => (await loadRemoval()).rollbackAction(flags));
  withCommon(service.command('uninstall').description('remove the service, and say what stays'))
    .option(
      '--purge',
      'configuration, data and user as well: certificate, registry and admin token are gone then',
    )
    .option('--yes', 'do not ask')
    .action(async (flags) => (await loadRemoval()).uninstallAction(flags));
  service
    .command('verify <dir>')
    .description(
      'prove an unpacked archive by the release key that this program was built with; called by the archive’s script',
    )
    .option('--json', 'print JSON')
    .action(async (dir: string, flags: { readonly json?: boolean }) => {
      const { verifyAction } = await import('../service/actions/verify-action.js');
      verifyAction(dir, flags);
    });
  service
    .command('undo-replace-litellm')
    .description('give the LiteLLM proxy that was replaced its port back, and run beside it')
    .option('--wait <seconds>', WAIT, toWaitMs)
    .option('--json', 'print JSON')
    .action(async (flags) => (await loadRemoval()).undoAction(flags));
  return service.addHelpText(
    'after',
    `
Examples:
  sudo sh install-control-plane.sh --dry-run
  sudo ai-fabric service rollback
  sudo ai-fabric service uninstall`,
  );
}

/** Only here: reading SQLite takes longer than the help of any command. */
function loadRemoval() {
  return import('../service/actions/removal-actions.js');
}

function addInstall(service: Command): void {
  withCommon(
    service
      .command('install')
      .description(
        'install, upgrade or repair it from an unpacked archive; called by the archive’s own script',
      )
      .requiredOption('--archive <dir>', 'the unpacked archive'),
  )
    .option('--host <address...>', 'addresses to listen on, 127.0.0.1 besides (default: all)')
    .option('--port <n>', 'plain HTTP, for clients of /v1 (default: 8000)')
    .option('--tls-port <n>', 'TLS, for agents, the control API and clients (default: 8443)')
    .option('--replace-litellm [file]', 'take the place of the LiteLLM proxy of this machine, after a yes')
    .option('--litellm-unit <name>', 'its service, where several run')
    .option('--yes', 'take over without asking')
    .action(async (flags: InstallFlags) => {
      const { installAction, replaceAction } = await import('../service/actions/install-action.js');
      if (flags.replaceLitellm === undefined) await installAction(flags);
      else await replaceAction(flags);
    });
}

function withCommon(command: Command): Command {
  return command
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--root <dir>', 'the root directory of an image that is prepared: nothing is started')
    .option('--wait <seconds>', WAIT, toWaitMs)
    .option('--json', 'print JSON');
}

function toWaitMs(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,4}$/.test(text) || seconds < 1)
    throw new InvalidArgumentError('expected seconds from 1 to 9999.');
  return seconds * 1000;
}
