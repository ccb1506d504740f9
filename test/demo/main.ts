import { parseArgs } from 'node:util';
import { podmanNeeds } from '../real/podman/podman-needs.js';
import { choosePort } from './choose-ports.js';
import type { DemoStage, SetUpStep } from './demo-stage.js';
import { type DemoEvent, describeEvent } from './describe-event.js';
import { showStatus } from './show-status.js';

/** As the exit code of the operator's commands: this machine lacks what is needed. */
const LACKING = 6;

const HELP = `npm run demo [-- --podman] [--once]

The main job on this machine: the control plane on SQLite, this machine's real agent, and simulated motoko,
armitage and wintermute (wintermute away), with a simulated cloud.

  --podman   instead: a replica in a container of real Podman, which the agent pulls, makes, proves and keeps.
             Needs Linux, root and Podman 4 or later, and installs nothing: where something is missing it says
             what, and ends with exit code ${LACKING}. vLLM and the card are simulated. Podman gets storage, network and
             socket of its own: containers and images of this machine are not touched, and nothing stays
  --once     a scripted tour: tells each step and its outcome; exit code 0 only if all held
  --json     each event as a line of JSON: "started", then "step" and "tour_ended", or "up" ("podman_up"),
             or "podman_lacking"
  --help     this text

Exit codes: 0 done, or ended by Ctrl-C; 1 a step did not hold, or something failed; ${LACKING} --podman: this machine lacks
what it needs`;

const REDRAW_MS = 1_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      podman: { type: 'boolean' },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const json = values.json === true;
  const podman = values.podman === true;
  const tell: Tell = (event) => console.log(json ? JSON.stringify(event) : describeEvent(event));
  const tellError: Tell = (event) => console.error(json ? JSON.stringify(event) : describeEvent(event));
  const needs = podman ? podmanNeeds() : [];
  if (needs.length > 0) {
    tellError({ kind: 'podman_lacking', needs });
    return LACKING;
  }
  const stage = await openStage(podman, tell);
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // A second one changes nothing: what is under way is bounded, and half-ended children would stay behind.
      process.on(signal, () => resolve('interrupted'));
    }
  });
  let failed = true;
  let ending = false;
  // What was under way when it was told to end fails for that reason alone.
  const tellUntilEnd: Tell = (event) => {
    if (!ending) tell(event);
  };
  try {
    const running = run(stage, { once: values.once === true, json, tell: tellUntilEnd, interrupted });
    const outcome = await Promise.race([running, interrupted]);
    failed = outcome === 'failed';
    ending = outcome === 'interrupted';
    if (ending) tell({ kind: 'ending' });
    return failed ? 1 : 0;
  } catch (error) {
    tellError({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    return 1;
  } finally {
    await stage.close(failed);
    if (failed) tellError({ kind: 'logs_kept', directory: stage.directory });
  }
}

type Tell = (event: DemoEvent) => void;

/** Each brings its own simulators along. */
async function openStage(podman: boolean, tell: Tell): Promise<DemoStage> {
  const plain = await choosePort(8000);
  const tls = await choosePort(8443);
  for (const [wanted, { port, takenBy }] of [
    [8000, plain],
    [8443, tls],
  ] as const) {
    if (takenBy !== null) tell({ kind: 'port_taken', wanted, takenBy, port });
  }
  if (podman) return (await import('./podman/podman-stage.js')).podmanStage({ plain, tls });
  return (await import('./workstations-stage.js')).workstationsStage({ plain, tls });
}

interface RunOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly tell: Tell;
  readonly interrupted: Promise<unknown>;
}

async function run(
  stage: DemoStage,
  { once, json, tell, interrupted }: RunOptions,
): Promise<'held' | 'failed'> {
  const step: SetUpStep = async (what, work) => {
    const startedAt = performance.now();
    await work();
    tell({ kind: 'started', what, tookMs: Math.round(performance.now() - startedAt) });
  };
  await stage.start(step, once);
  if (once) return (await stage.takeTour(tell)) ? 'held' : 'failed';
  tell(stage.invitation());
  // A program asks the control API; the screen is for people.
  await (json ? interrupted : watchStatus(stage, interrupted));
  return 'held';
}

/** Redraws in place on a terminal; elsewhere prints one screen and waits. */
async function watchStatus(stage: DemoStage, interrupted: Promise<unknown>): Promise<void> {
  const terminal = process.stdout.isTTY === true;
  let linesDrawn = 0;
  let ended = false;
  void interrupted.then(() => {
    ended = true;
  });
  const draw = (lines: readonly string[]): void => {
    if (linesDrawn > 0 && terminal) process.stdout.write(`\x1b[${linesDrawn}A\x1b[J`);
    if (linesDrawn === 0 || terminal) console.log(lines.join('\n'));
    linesDrawn = lines.length;
  };
  const pause = async (): Promise<void> => {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, REDRAW_MS)), interrupted]);
  };
  await showStatus(
    {
      readScreen: () => stage.readScreen(),
      endOfControlPlane: () => stage.endOfControlPlane(),
    },
    { draw, pause, ended: () => ended },
  );
}

// A terminal that was closed: the end is worth more than its last lines.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main();
