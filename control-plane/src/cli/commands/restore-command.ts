import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { countOf } from '@ai-fabric/shared';
import { Command } from 'commander';
import { destination, pino } from 'pino';
import { readClientDefaults } from '../../config/client-defaults.js';
import type { RestorePlan } from '../../registry/backup/restore-backup.js';
import { toBackupCliError } from '../backup-cli-error.js';
import { mib, printJson } from '../output.js';

interface RestoreFlags {
  data?: string;
  dryRun?: boolean;
  json?: boolean;
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('put a backup into the data directory of a control plane that does not run')
    .argument('<file>', 'what "ai-fabric backup" or the schedule made')
    .option('--data <dir>', 'the data directory, made if it is not there')
    .option('--dry-run', 'say what is in the backup and what would give way, and change nothing')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
A dry run ends as the restore itself would: where a control plane runs on the data directory, with 4.
What gives way is kept in the data directory as .before-restore-TIME. A control plane that is restored with its
certificate, and answers at the same address, is taken for the former one by its agents.

Examples:
  ai-fabric restore fabric.backup --data /var/lib/ai-fabric --dry-run
  ai-fabric restore fabric.backup --data /var/lib/ai-fabric && ai-fabric up --data /var/lib/ai-fabric`,
    )
    .action(run);
}

async function run(file: string, flags: RestoreFlags): Promise<void> {
  const dataDirectory = resolve(flags.data ?? readClientDefaults().dataDirectory);
  // Only here: reading SQLite takes longer than any of the other commands.
  const { checkRestorable, planRestore, restoreBackup } = await import(
    '../../registry/backup/restore-backup.js'
  );
  try {
    if (flags.dryRun) {
      const plan = planRestore(file, dataDirectory);
      if (flags.json) printJson({ dataDirectory, dryRun: true, ...plan });
      else printPlan(file, dataDirectory, plan);
      checkRestorable(dataDirectory);
      return;
    }
    const log = pino({ level: 'warn', base: null }, destination(2));
    const restored = restoreBackup(file, dataDirectory, { nowMs: Date.now(), log });
    if (flags.json) {
      printJson({ dataDirectory, dryRun: false, ...restored });
      return;
    }
    printPlan(file, dataDirectory, restored);
    console.log(`Restored. Start it with: ai-fabric up --data ${dataDirectory}`);
    if (restored.keptIn !== null) {
      console.log(`What was there is in ${restored.keptIn}; to undo, stop, and move it back.`);
    }
  } catch (error) {
    throw await toBackupCliError(error);
  }
}

function printPlan(
  file: string,
  dataDirectory: string,
  { backup, replaces, formerRegistry }: RestorePlan,
): void {
  const { info, schema, knownSchema, declaredRevision, rows, withSecrets, sizeBytes } = backup;
  console.log(`${file}: a sound backup, ${mib(sizeBytes)}`);
  console.log(`  made          ${new Date(info.madeAtMs).toISOString()} on ${info.madeOn}`);
  console.log(
    `  by            ai-fabric ${info.madeBy}, schema ${schema} (this program knows ${knownSchema})`,
  );
  console.log(`  declared      revision ${declaredRevision}`);
  console.log(`  certificate   ${info.certificateSha256}`);
  console.log(
    `  secrets       ${withSecrets ? 'certificate, key and admin token' : 'none: agents join anew'}`,
  );
  const filled = Object.entries(rows).filter(([, count]) => count > 0);
  console.log(`  rows          ${filled.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'}`);
  if (withSecrets && isOpenToOthers(file)) {
    console.log(`  warning       others may read it: chmod 600 ${file}`);
  }
  console.log(`${dataDirectory}:`);
  console.log(`  gives way     ${replaces.join(', ') || 'nothing: it is new'}`);
  if (formerRegistry) {
    const { declaredRevision: revision, rows: formerRows } = formerRegistry;
    console.log(`  with          revision ${revision}, ${countOf(formerRows['hosts'] ?? 0, 'host')}`);
  }
}

function isOpenToOthers(file: string): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0;
}
