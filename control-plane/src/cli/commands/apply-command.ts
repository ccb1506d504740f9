import { Command, InvalidArgumentError } from 'commander';
import { appliedSchema, applyPlanSchema } from '../../api/declared-schemas.js';
import type { ApiClient } from '../api-client.js';
import { confirm } from '../confirm.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { countChanges, formatPlan, type Plan } from '../print-plan.js';
import { readDeclaredFile } from '../read-declared-file.js';

interface ApplyFlags extends ConnectionFlags {
  prune?: boolean;
  yes?: boolean;
  revision?: number;
}

export function applyCommand(): Command {
  return withConnection(
    new Command('apply')
      .description(
        'make a fabric.yaml the declared state: the plan is shown first, then all of it or nothing',
      )
      .argument('<file>', 'a fabric.yaml; "-" for standard input')
      .option('--prune', 'remove what is declared and not in the file; without it that stays')
      .option('--yes', 'do not ask')
      .option('--revision <n>', 'only if this is still the revision, as "diff" showed it', toRevision),
  )
    .addHelpText(
      'after',
      `
Exit codes of apply: 0 nothing had to change, 10 it was applied, 4 refused and nothing applied (the file is not
valid, somebody else applied in between, or the answer was no), 1 or 5 it failed.

Examples:
  ai-fabric apply fabric.yaml
  ai-fabric apply fabric.yaml --prune --yes
  ai-fabric apply fabric.yaml --yes || [ $? -eq 10 ]      # in a script: both outcomes are good`,
    )
    .action(apply);
}

function toRevision(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected a revision, as "diff" shows it.');
  return Number(text);
}

async function apply(file: string, flags: ApplyFlags): Promise<void> {
  const document = await readDeclaredFile(file);
  const prune = flags.prune === true;
  const client = connect(flags);
  const plan = await client.post('/declared/plan', { document, prune }, applyPlanSchema);
  const expectedRevision = flags.revision ?? plan.revision;
  // A plan of another revision than the one asked for is not what was agreed to: it is not shown as if it were.
  if (plan.changes.length === 0 && expectedRevision === plan.revision) {
    tellUnchanged(plan, flags);
    return;
  }
  if (expectedRevision === plan.revision) await agree(plan, flags);
  const applied = await send(client, file, { document, prune, expectedRevision });
  if (flags.json) printJson(applied);
  else console.log(`applied: ${countChanges(applied.plan)} (now revision ${applied.revision})`);
  if (applied.changed) process.exitCode = exitCodes.changed;
}

function tellUnchanged(plan: Plan, flags: ApplyFlags): void {
  if (flags.json) {
    printJson({ changed: false, revision: plan.revision, plan });
    return;
  }
  const text = formatPlan(plan);
  if (text !== '') console.log(text);
  console.log(`nothing to change (revision ${plan.revision})`);
}

async function agree(plan: Plan, flags: ApplyFlags): Promise<void> {
  if (flags.json) console.error(formatPlan(plan));
  else console.log(formatPlan(plan));
  if (flags.yes !== true) await confirm(`apply this (${countChanges(plan)})?`);
}

async function send(client: ApiClient, file: string, request: object) {
  try {
    return await client.post('/declared/apply', request, appliedSchema);
  } catch (error) {
    if (!(error instanceof CliError) || error.details?.['code'] !== 'conflict') throw error;
    const again = `see what would change now with "ai-fabric diff ${file}", then apply again`;
    throw new CliError(exitCodes.refused, error.message, again, error.details);
  }
}
