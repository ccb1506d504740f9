import { readFileSync, statSync } from 'node:fs';
import { answer, type SmiAction } from './answer.js';
import { parseArguments } from './parse-arguments.js';
import type { NvidiaSmiScenario } from './scenario.js';

/** The real one stays for ever. This one ends by itself, or when whoever started it is gone, so that no test leaks it. */
const HANG_LIMIT_MS = 15 * 60_000;
const HANG_LOOK_MS = 500;

/** Reads the scenario again when its file has changed: a test loses a card while the process runs. */
class ScenarioFile {
  readonly #path: string;
  #version = '';
  #scenario: NvidiaSmiScenario | null = null;
  ticks = 0;

  constructor(path: string) {
    this.#path = path;
  }

  current(): NvidiaSmiScenario {
    const { mtimeNs, ino } = statSync(this.#path, { bigint: true });
    const version = `${ino}/${mtimeNs}`;
    if (this.#scenario === null || version !== this.#version) {
      this.#scenario = JSON.parse(readFileSync(this.#path, 'utf8')) as NvidiaSmiScenario;
      this.#version = version;
      this.ticks = 0;
    }
    return this.#scenario;
  }
}

function run(scenarioPath: string, argv: readonly string[]): void {
  const request = parseArguments(argv);
  const file = new ScenarioFile(scenarioPath);
  const periodMs = request.kind === 'query' ? request.periodMs : null;
  let tick = 0;
  let dueMs = performance.now() + file.current().startDelayMs;
  const step = () => {
    const scenario = file.current();
    // Before the last line is out: whoever reads it may send the signal at once.
    if (scenario.behaviour.kind === 'hang') ignoreSignals();
    const action = answer(scenario, request, { tick, scenarioTick: file.ticks, now: new Date() }, argv);
    tick += 1;
    file.ticks += 1;
    if (!act(action)) return;
    // Due times, not pauses: a replay keeps its cadence however long a tick took.
    dueMs = Math.max(dueMs + (periodMs ?? 0), performance.now());
    setTimeout(step, dueMs - performance.now());
  };
  setTimeout(step, dueMs - performance.now());
}

/** @returns whether there is a next tick */
function act(action: SmiAction): boolean {
  if (action.kind === 'hang') {
    hang();
    return false;
  }
  process.stdout.write(action.text);
  if (action.kind === 'print') return true;
  // Set rather than exited: what was written to a pipe still has to get there.
  process.exitCode = action.exitCode;
  return false;
}

function ignoreSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    if (process.listenerCount(signal) === 0) process.on(signal, () => {});
  }
}

function hang(): void {
  const parent = process.ppid;
  const endMs = performance.now() + HANG_LIMIT_MS;
  setInterval(() => {
    if (process.ppid !== parent || performance.now() > endMs) process.exit(1);
  }, HANG_LOOK_MS);
}

// Whoever read this is gone: the real one dies of SIGPIPE.
process.stdout.on('error', () => process.exit(141));
const [scenarioPath, ...argv] = process.argv.slice(2);
if (scenarioPath === undefined) throw new Error('usage: program.js SCENARIO.json [arguments of nvidia-smi]');
run(scenarioPath, argv);
