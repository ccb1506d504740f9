import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { z } from 'zod';
import { backupScheduleSchema } from '../../api/schemas.js';
import { readClientDefaults } from '../../config/client-defaults.js';
import { toBackupCliError } from '../backup-cli-error.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { age, mib, printJson } from '../output.js';
import { receiveFile } from '../receive-file.js';

interface BackupFlags extends ConnectionFlags {
  secrets: boolean;
  force?: boolean;
  status?: boolean;
  offline?: boolean;
}

export function backupCommand(): Command {
  const backup = new Command('backup')
    .description('copy a control plane’s registry, certificate and admin token into one file, while it runs')
    .argument('[file]', 'where to; its owner alone may read it')
    .option('--no-secrets', 'without certificate, its key and the admin token: agents then join anew')
    .option('--force', 'replace the file if it is there')
    .option('--offline', 'of a control plane that does not run, from its data directory')
    .option('--status', 'how the scheduled backups go, instead of making one');
  return withConnection(backup)
    .addHelpText(
      'after',
      `
The file is as secret as the control plane itself: whoever has it can be taken for it by every agent.

Examples:
  ai-fabric backup /mnt/nas/fabric.backup
  ai-fabric backup --status
  ai-fabric backup fabric.backup --offline --data /var/lib/ai-fabric
  ai-fabric restore /mnt/nas/fabric.backup --data DIR --dry-run`,
    )
    .action(async (file: string | undefined, flags: BackupFlags) => {
      if (flags.status) await showStatus(flags);
      else if (file === undefined) throw new CliError(exitCodes.usage, 'no file is named', 'say where to');
      else await makeBackup(resolve(file), flags);
    });
}

async function makeBackup(file: string, flags: BackupFlags): Promise<void> {
  if (existsSync(file) && !flags.force) {
    const fix = 'name another file, or replace it with --force';
    throw new CliError(exitCodes.refused, `${file} is there already`, fix);
  }
  const received = await (flags.offline ? makeOffline(file, flags) : download(file, flags));
  if (flags.json) {
    printJson({ file, ...received, secrets: flags.secrets });
    return;
  }
  console.log(`${file}: ${mib(received.sizeBytes)}, SHA-256 ${received.sha256}, checked`);
  if (flags.secrets) console.log('It holds the certificate’s key and the admin token: keep it as such.');
}

function download(file: string, flags: BackupFlags): Promise<{ sizeBytes: number; sha256: string }> {
  const { secrets } = flags;
  return connect(flags).download('/backups', { secrets }, (answer) => receiveFile(answer, file));
}

async function makeOffline(file: string, flags: BackupFlags): Promise<{ sizeBytes: number; sha256: string }> {
  const dataDirectory = resolve(flags.data ?? readClientDefaults().dataDirectory);
  // Only here: reading SQLite takes longer than any of the other commands.
  const { backUpStopped } = await import('../../backup/back-up-stopped.js');
  try {
    return await backUpStopped(dataDirectory, file, flags.secrets);
  } catch (error) {
    throw await toBackupCliError(error);
  }
}

async function showStatus(flags: BackupFlags): Promise<void> {
  const status = await connect(flags).get('/backups', backupScheduleSchema);
  if (flags.json) printJson(status);
  else printStatus(status);
}

function printStatus(status: z.infer<typeof backupScheduleSchema>): void {
  const { schedule, nextAtMs, lastSuccess, lastFailure } = status;
  const nowMs = Date.now();
  if (schedule === null) {
    console.log('nothing is scheduled: see "backup" in fabric.yaml');
    return;
  }
  const when =
    'cron' in schedule.schedule ? schedule.schedule.cron : `every ${schedule.schedule.everyHours} h`;
  console.log(`${when} into ${schedule.directory}, the newest ${schedule.keep} stay`);
  if (nextAtMs !== null) console.log(`next      ${new Date(nextAtMs).toISOString()}`);
  if (lastSuccess) console.log(`last      ${lastSuccess.file}, ${age(lastSuccess.atMs, nowMs)} ago`);
  if (lastFailure) {
    console.log(`failed    ${age(lastFailure.atMs, nowMs)} ago: ${lastFailure.detail}`);
    console.log(`          → ${lastFailure.fix}`);
  }
}
