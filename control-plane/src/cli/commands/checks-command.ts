import { Command } from 'commander';
import type { z } from 'zod';
import { checksSchema } from '../../api/check-schemas.js';
import { smokeFindings } from '../../checks/decide/smoke-findings.js';
import { forbidsColour } from '../../config/terminal.js';
import { painter } from '../colour.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { age, printJson } from '../output.js';
import { findingLines, summary } from '../print-findings.js';

type Checks = z.infer<typeof checksSchema>;

export function checksCommand(): Command {
  return withConnection(
    new Command('checks').description('what doctor and smoke found last, and when they run by themselves'),
  )
    .addHelpText(
      'after',
      `
They run by themselves when "checks:" in fabric.yaml says so.

Examples:
  ai-fabric checks
  ai-fabric checks --json | jq .doctor.last.worst`,
    )
    .action(async (flags: ConnectionFlags) => {
      const checks = await connect(flags).get('/checks', checksSchema);
      if (flags.json) printJson(checks);
      else print(checks);
    });
}

function print({ doctor, smoke, webhook }: Checks): void {
  const nowMs = Date.now();
  const paint = painter(process.stdout.isTTY === true, forbidsColour());
  const parts = [
    { name: 'doctor', check: doctor, findings: doctor.last?.findings ?? null },
    { name: 'smoke', check: smoke, findings: smoke.last === null ? null : smokeFindings(smoke.last.results) },
  ];
  for (const { name, check, findings } of parts) {
    const last = check.last === null ? 'has not run yet' : `ran ${age(check.last.atMs, nowMs)} ago`;
    console.log(`${name}: ${last}; ${schedule(check, nowMs)}`);
    if (findings === null) continue;
    console.log(`  ${summary(findings)}`);
    const problems = findings.filter(({ severity }) => severity === 'warning' || severity === 'error');
    for (const line of findingLines(problems, paint)) console.log(`  ${line}`);
  }
  if (!webhook.declared) return;
  const told = webhook.lastPostedAtMs === null ? 'not yet' : `${age(webhook.lastPostedAtMs, nowMs)} ago`;
  const problem =
    webhook.lastProblem === null ? '' : `; the last post came to nothing: ${webhook.lastProblem}`;
  console.log(`webhook: told ${told}${problem}`);
}

function schedule({ schedule, nextAtMs }: Checks['doctor'] | Checks['smoke'], nowMs: number): string {
  if (schedule === null) return 'runs only when it is asked for';
  if (nextAtMs === null) return 'runs now';
  return `runs again in ${Math.max(0, Math.round((nextAtMs - nowMs) / 1000))} s`;
}
