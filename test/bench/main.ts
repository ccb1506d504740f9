import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { agentBench } from './agent/agent-bench.js';
import { type Bench, type BenchContext, BenchUsageError } from './bench.js';
import { describeReport, makeReport } from './bench-report.js';
import { gatewayBench } from './gateway/gateway-bench.js';
import { historyBench } from './history/history-bench.js';
import { installBench } from './install/install-bench.js';
import { inspectMachine } from './machine/machine.js';
import { reconcileBench } from './reconcile/reconcile-bench.js';
import { requestsBench } from './requests/requests-bench.js';
import { routingBench } from './routing/routing-bench.js';
import { startBench } from './start/start-bench.js';
import { telemetryBench } from './telemetry/telemetry-bench.js';
import { tunnelBench } from './tunnel/tunnel-bench.js';
import { wakeBench } from './wake/wake-bench.js';

const benches: readonly Bench[] = [
  gatewayBench,
  routingBench,
  telemetryBench,
  historyBench,
  agentBench,
  startBench,
  requestsBench,
  tunnelBench,
  reconcileBench,
  wakeBench,
  installBench,
];
const DEFAULT_ROUNDS = 7;
const COMMON_OPTIONS = {
  json: { type: 'boolean', default: false },
  rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const help = `Measures the programs of this checkout and sets each figure beside the limit it should keep.

Usage: npm run bench -- ${benches.map(({ name }) => name).join('|')} [--json] [--rounds N] [--profile DIR]

${benches.map(({ name, measures }) => `  ${name.padEnd(10)} ${measures}`).join('\n')}

  --json         the last line of the output is one object: { "bench", "figures", "rounds" }
  --rounds N     how often each figure is measured (${DEFAULT_ROUNDS}); fewer are quicker and rougher
  --profile DIR  leaves V8 CPU profiles of the measured program in DIR (it is slower meanwhile)
  --help         this text
${benches.map(describeOptions).join('')}
What is measured has the first core for itself and its load the second (taskset). Figures of a machine that does
other things meanwhile mean little; ratios mean more than absolute ones. docs/BENCHMARKS.md tells how each is made.

Exit codes: 0 measured, whatever the figures; 1 could not measure; 2 wrong usage; 130 interrupted.
`;

function describeOptions({ name, options = [] }: Bench): string {
  const lines = options.map(
    ({ name: option, value, meaning }) =>
      `  ${(value === null ? `--${option}` : `--${option} ${value}`).padEnd(18)} ${meaning}\n`,
  );
  return lines.length === 0 ? '' : `\n${name} takes too:\n${lines.join('')}`;
}

async function main(): Promise<number> {
  const usage = readUsage();
  if (typeof usage === 'string') {
    process.stderr.write(`${usage}\nTry: npm run bench -- --help\n`);
    return 2;
  }
  if (usage === null) {
    process.stdout.write(help);
    return 0;
  }
  const { bench, rounds, json, profileDirectory, options } = usage;
  const machine = inspectMachine();
  const directory = mkdtempSync(join(tmpdir(), `ai-fabric-bench-${bench.name}-`));
  const undoing: (() => Promise<void> | void)[] = [];
  const undoAll = async (): Promise<void> => {
    for (let undo = undoing.pop(); undo; undo = undoing.pop()) await undo();
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('SIGINT', () => void undoAll().finally(() => process.exit(130)));
  process.once('SIGTERM', () => void undoAll().finally(() => process.exit(143)));
  const startedAtMs = performance.now();
  let hasShown = false;
  const context: BenchContext = {
    ...{ rounds, machine, directory, profileDirectory, options },
    progress: (line) => {
      const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
      process.stderr.write(`${seconds.padStart(6)} s  ${line}\n`);
    },
    show: (text) => {
      hasShown = true;
      process.stdout.write(`${text}\n`);
    },
    atEnd: (undo) => void undoing.push(undo),
  };
  try {
    const measured = await bench.run(context);
    const withMachine = { ...measured, notes: [...machine.notes, ...measured.notes] };
    const report = makeReport(bench, withMachine);
    process.stdout.write(`${describeReport(bench, report, withMachine)}\n`);
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    return hasShown || Object.keys(report.figures).length > 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof BenchUsageError) {
      process.stderr.write(`${error.message}\nTry: npm run bench -- --help\n`);
      return 2;
    }
    process.stderr.write(`could not measure: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await undoAll();
  }
}

interface Usage {
  readonly bench: Bench;
  readonly rounds: number;
  readonly json: boolean;
  readonly profileDirectory: string | null;
  readonly options: Readonly<Record<string, string>>;
}

/** @returns what is wrong, in words; `null` where help was asked for */
function readUsage(): Usage | string | null {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const known = benches.map(({ name }) => name).join(', ');
  const bench = benches.find(({ name }) => name === positionals[0]);
  if (!bench) return `expected one of ${known}, found ${positionals[0] ?? 'nothing'}`;
  if (positionals.length > 1) return `expected one benchmark at a time, found ${positionals.join(' ')}`;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    return `--rounds: expected a whole number from 1 to 100, found ${values.rounds}`;
  }
  const options: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || name in COMMON_OPTIONS) continue;
    if (!bench.options?.some((option) => option.name === name)) return `${bench.name} takes no --${name}`;
    options[name] = String(value);
  }
  const profileDirectory = values.profile === undefined ? null : resolve(values.profile);
  if (profileDirectory !== null) mkdirSync(profileDirectory, { recursive: true });
  return { bench, rounds, json: values.json, profileDirectory, options };
}

function parse() {
  const own = benches.flatMap(({ options = [] }) => options);
  return parseArgs({
    allowPositionals: true,
    options: {
      ...Object.fromEntries(own.map(({ name, value }) => [name, { type: optionType(value) }])),
      ...COMMON_OPTIONS,
    },
  });
}

function optionType(value: string | null): 'string' | 'boolean' {
  return value === null ? 'boolean' : 'string';
}

process.exitCode = await main();
