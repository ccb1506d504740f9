import { Command } from 'commander';
import { type SmokeRun, smokeRunSchema } from '../../checks/check-records.js';
import { forbidsColour } from '../../config/terminal.js';
import { painter } from '../colour.js';
import { type ConnectionFlags, connect, withConnection } from '../connect-options.js';
import { exitCodes } from '../exit-codes.js';
import { printJson } from '../output.js';
import { milliseconds } from '../print-findings.js';

/** Every name in turn, each with a minute at the most, and some with a wake: longer than anybody waits for it. */
const TIMEOUT_MS = 15 * 60_000;

export function smokeCommand(): Command {
  return withConnection(
    new Command('smoke').description('a real request through every role and alias, as clients send it'),
  )
    .option('--cloud', 'ask providers too where nothing of ours answers: this spends')
    .option('--wake', 'wake hosts that sleep, where their roles would, and wait for them')
    .addHelpText(
      'after',
      `
Without --cloud no provider is asked, without --wake no machine is woken. Outcomes: "ok"; "away", as declared; "skipped",
where only the cloud would answer or a replica is full or drained for now; "broken".
Ends with 0 when nothing is broken, else with 21.

Examples:
  ai-fabric smoke
  ai-fabric smoke --cloud
  ai-fabric smoke --wake
  ai-fabric smoke --json | jq '.results[] | select(.outcome == "broken")'`,
    )
    .action(run);
}

async function run(flags: ConnectionFlags & { cloud?: boolean; wake?: boolean }): Promise<void> {
  const body = { cloud: flags.cloud ?? false, wake: flags.wake ?? false };
  const smoke = await connect(flags).post('/checks/smoke', body, smokeRunSchema, TIMEOUT_MS);
  if (flags.json) printJson(smoke);
  else print(smoke);
  if (smoke.results.some(({ outcome }) => outcome === 'broken')) process.exitCode = exitCodes.errors;
}

const SEVERITIES = { ok: 'ok', away: 'info', skipped: 'info', broken: 'error' } as const;

function print({ results, tookMs }: SmokeRun): void {
  const paint = painter(process.stdout.isTTY === true, forbidsColour());
  const names = results.map(({ name, stream }) => (stream ? `${name} (stream)` : name));
  const width = Math.max(0, ...names.map((name) => name.length));
  for (const [index, { outcome, what, fix, replica, host, latencyMs }] of results.entries()) {
    const head = paint(SEVERITIES[outcome], `${outcome.padEnd(7)} ${(names[index] ?? '').padEnd(width)}`);
    const by = outcome === 'ok' ? `${what} by ${replica} on ${host} in ${milliseconds(latencyMs)}` : what;
    console.log(`${head}  ${by}`);
    if (fix !== null) console.log(`        ${' '.repeat(width)}  → ${fix}`);
  }
  const count = (wanted: string) => results.filter(({ outcome }) => outcome === wanted).length;
  console.log(
    `\n${count('ok')} ok, ${count('away')} away as declared, ${count('skipped')} skipped, ${count('broken')} broken ` +
      `in ${(tookMs / 1000).toFixed(1)} s`,
  );
}
