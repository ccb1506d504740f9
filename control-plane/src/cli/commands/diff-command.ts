import { Command } from 'commander';
import { applyPlanSchema } from '../../api/declared-schemas.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { countChanges, formatPlan } from '../print-plan.js';
import { readDeclaredFile } from '../read-declared-file.js';

export function diffCommand(): Command {
  return withConnection(
    new Command('diff')
      .description('show what applying a fabric.yaml would change; changes nothing')
      .argument('<file>', 'a fabric.yaml; "-" for standard input')
      .option('--prune', 'as if what is not in the file were removed'),
  )
    .addHelpText(
      'after',
      `
Exit codes of diff: 0 nothing would change, 10 something would, 4 the file is not valid (line and path are told),
1 or 5 it failed. Order and comments in the file do not count; the order of a role's targets does.

Examples:
  ai-fabric diff fabric.yaml
  ai-fabric diff fabric.yaml --prune --json`,
    )
    .action(diff);
}

async function diff(file: string, flags: ConnectionFlags & { prune?: boolean }): Promise<void> {
  const document = await readDeclaredFile(file);
  const prune = flags.prune === true;
  const plan = await connect(flags).post('/declared/plan', { document, prune }, applyPlanSchema);
  if (flags.json) printJson(plan);
  else {
    const text = formatPlan(plan);
    if (text !== '') console.log(text);
    console.log(`${countChanges(plan)} (revision ${plan.revision})`);
  }
  if (plan.changes.length > 0) process.exitCode = exitCodes.changed;
}
