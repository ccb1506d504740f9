import { parseArgs } from 'node:util';
import { eventually } from '../simulators/common/eventually.js';
import { choosePort } from './choose-ports.js';
import { DemoFabric } from './demo-fabric.js';
import { type DemoEvent, describeEvent } from './describe-event.js';
import { showStatus } from './show-status.js';
import { readStatusScreen } from './status-screen.js';
import { takeTour } from './take-tour.js';
import { tour } from './tour.js';

const HELP = `npm run demo [-- --once]

The main job on this machine: the control plane on SQLite, this machine's real agent, and simulated motoko,
armitage and wintermute (wintermute away), with a simulated cloud.

  --once   a scripted tour: tells each step and its outcome; exit code 0 only if all held
  --json   each event as a line of JSON: "started", then "step" and "tour_ended", or "up"
  --help   this text`;

const REDRAW_MS = 1_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const json = values.json === true;
  const tell: Tell = (event) => console.log(json ? JSON.stringify(event) : describeEvent(event));
  const tellError: Tell = (event) => console.error(json ? JSON.stringify(event) : describeEvent(event));
  const plain = await choosePort(8000);
  const tls = await choosePort(8443);
  for (const [wanted, { port, takenBy }] of [
    [8000, plain],
    [8443, tls],
  ] as const) {
    if (takenBy !== null) tell({ kind: 'port_taken', wanted, takenBy, port });
  }
  const fabric = new DemoFabric({ plain, tls });
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // A second one changes nothing: what is under way is bounded, and half-ended children would stay behind.
      process.on(signal, () => resolve('interrupted'));
    }
  });
  let failed = true;
  try {
    const running = run(fabric, { once: values.once === true, json, tell, interrupted });
    const outcome = await Promise.race([running, interrupted]);
    failed = outcome === 'failed';
    if (outcome === 'interrupted') tell({ kind: 'ending' });
    return failed ? 1 : 0;
  } catch (error) {
    tellError({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    return 1;
  } finally {
    await fabric.close(failed);
    if (failed) tellError({ kind: 'logs_kept', directory: fabric.directory });
  }
}

type Tell = (event: DemoEvent) => void;

interface RunOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly tell: Tell;
  readonly interrupted: Promise<unknown>;
}

async function run(
  fabric: DemoFabric,
  { once, json, tell, interrupted }: RunOptions,
): Promise<'held' | 'failed'> {
  await start(fabric, tell);
  if (once) return (await takeTour(tour, fabric, tell)) ? 'held' : 'failed';
  const { url, tlsUrl, dataDirectory } = fabric;
  tell({ kind: 'up', url, tlsUrl, dataDirectory });
  // A program asks the control API; the screen is for people.
  await (json ? interrupted : watchStatus(fabric, interrupted));
  return 'held';
}

async function start(fabric: DemoFabric, tell: Tell): Promise<void> {
  const step = async (what: string, work: () => Promise<void>): Promise<void> => {
    const startedAt = performance.now();
    await work();
    tell({ kind: 'started', what, tookMs: Math.round(performance.now() - startedAt) });
  };
  await step('simulated engines and cloud', () => fabric.startEngines());
  await step('control plane on SQLite', () => fabric.startControlPlane());
  await step(
    `this machine's agent (${fabric.thisHost}) and simulated motoko, armitage, wintermute`,
    async () => {
      await Promise.all(
        [fabric.thisHost, 'motoko', 'armitage', 'wintermute'].map((name) => fabric.startHost(name)),
      );
    },
  );
  await step('replicas prove a token', () => allReady(fabric));
  await step('wintermute goes away', async () => {
    await fabric.sendAway('wintermute');
    await eventually(
      'wintermute is away',
      async () => (await presenceOf(fabric, 'wintermute')) === 'away',
      10_000,
    );
  });
}

async function allReady(fabric: DemoFabric): Promise<void> {
  await eventually(
    'every replica is ready',
    async () => {
      const { items } = await fabric.rest.api<{
        items: { observed: { status: { phase: string } } | null }[];
      }>('/deployments');
      return items.every((each) => each.observed?.status.phase === 'ready');
    },
    30_000,
  );
  await eventually(
    'every simulated card is known',
    async () => {
      const simulated = (await fabric.hosts()).filter((host) => host.name !== fabric.thisHost);
      return simulated.every((host) => (host.inventory?.gpus.length ?? 0) > 0);
    },
    30_000,
  );
}

async function presenceOf(fabric: DemoFabric, name: string): Promise<string | undefined> {
  return (await fabric.hosts()).find((host) => host.name === name)?.presence;
}

/** Redraws in place on a terminal; elsewhere prints one screen and waits. */
async function watchStatus(fabric: DemoFabric, interrupted: Promise<unknown>): Promise<void> {
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
      readScreen: () => readStatusScreen(fabric),
      endOfControlPlane: () => fabric.endOfControlPlane(),
    },
    { draw, pause, ended: () => ended },
  );
}

// A terminal that was closed: the end is worth more than its last lines.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main();
