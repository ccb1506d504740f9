import { Command } from 'commander';
import type { z } from 'zod';
import { driftSchema } from '../../api/declared-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { exitCodes } from '../exit-codes.js';
import { printJson, printTable } from '../output.js';
import { countChanges, formatPlan } from '../print-plan.js';
import { readDeclaredFile } from '../read-declared-file.js';

type Drift = z.infer<typeof driftSchema>;

export function driftCommand(): Command {
  return withConnection(
    new Command('drift')
      .description('list what differs: the registry from its file, the hosts from what is declared')
      .argument('[file]', 'a fabric.yaml; left out: the one that "up --config" named'),
  )
    .addHelpText(
      'after',
      `
A host that is away is no drift. Exit codes of drift: 0 nothing differs, 10 something does, 4 the file named here
is not valid, 1 or 5 it failed.

Examples:
  ai-fabric drift
  ai-fabric drift fabric.yaml --json`,
    )
    .action(drift);
}

async function drift(file: string | undefined, flags: ConnectionFlags): Promise<void> {
  const client = connect(flags);
  const found =
    file === undefined
      ? await client.get('/declared/drift', driftSchema)
      : await client.post('/declared/drift', { document: await readDeclaredFile(file) }, driftSchema);
  if (flags.json) printJson(found);
  else printDrift(found, file);
  if (fileDiffers(found.file) || found.hosts.length > 0) process.exitCode = exitCodes.changed;
}

function fileDiffers(file: Drift['file']): boolean {
  if (file === null) return false;
  return file.plan === null || file.plan.changes.length > 0 || file.plan.notInFile.length > 0;
}

function printDrift({ file, hosts }: Drift, given: string | undefined): void {
  const name = file?.name ?? given ?? '';
  if (file === null) console.log('Registry and file: no file was named with "up --config"; name one here.');
  else if (file.plan === null) {
    console.log(`Registry and file: ${name} is not valid; the registry is used.`);
    for (const each of file.mistakes) {
      console.log(`  ${each.file}:${each.line}:${each.column}: ${each.path}: ${each.message}`);
    }
  } else if (!fileDiffers(file)) console.log(`Registry and file: ${name} says what is declared.`);
  else {
    console.log(`Registry and file: applying ${name} would mean: ${countChanges(file.plan)}.`);
    console.log(formatPlan(file.plan));
    const prune = file.plan.changes.length === 0 ? ' --prune' : '';
    console.log(
      `fix: ai-fabric apply ${name}${prune}; or keep what is declared: ai-fabric export --force --out ${name}`,
    );
  }
  console.log('');
  if (hosts.length === 0) {
    console.log('Hosts and registry: nothing differs.');
    return;
  }
  console.log('Hosts and registry:');
  printTable(
    ['HOST', 'WHAT', 'DETAIL'],
    hosts.map(({ host, code, message }) => [host, code, message]),
  );
}
