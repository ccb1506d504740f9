import { parseArgs } from 'node:util';
import { eventually } from '../simulators/common/eventually.js';
import { choosePort } from './choose-ports.js';
import { DemoFabric } from './demo-fabric.js';
import { readStatusScreen } from './status-screen.js';
import { tour } from './tour.js';

const HELP = `npm run demo [-- --once]

The main job on this machine: the control plane on SQLite, this machine's real agent, and simulated motoko,
armitage and wintermute (wintermute away), with a simulated cloud.

  --once   a scripted tour: tells each step and its outcome; exit code 0 only if all held
  --help   this text`;

const REDRAW_MS = 1_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const plain = await choosePort(8000);
  const tls = await choosePort(8443);
  for (const [wanted, { port, takenBy }] of [
    [8000, plain],
    [8443, tls],
  ] as const) {
    if (takenBy !== null) console.log(`Port ${wanted} is taken by ${takenBy}; taking ${port}.`);
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
    const outcome = await Promise.race([run(fabric, values.once === true, interrupted), interrupted]);
    failed = outcome === 'failed';
    if (outcome === 'interrupted') console.log('\nEnding agents, engines and control plane …');
    return failed ? 1 : 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await fabric.close(failed);
    if (failed) console.error(`Logs are kept in ${fabric.directory}`);
  }
}

async function run(
  fabric: DemoFabric,
  once: boolean,
  interrupted: Promise<unknown>,
): Promise<'held' | 'failed'> {
  await start(fabric);
  if (once) return (await takeTour(fabric)) ? 'held' : 'failed';
  printInvitation(fabric);
  await showStatus(fabric, interrupted);
  return 'held';
}

async function start(fabric: DemoFabric): Promise<void> {
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

async function step(what: string, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await work();
  console.log(`  ✓ ${what} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}

/** @returns whether every step held; the tour goes on after one that did not */
async function takeTour(fabric: DemoFabric): Promise<boolean> {
  let held = 0;
  console.log('\nThe tour:');
  for (const [index, { title, run: runStep }] of tour.entries()) {
    try {
      const seen = await runStep(fabric);
      console.log(`  ✓ ${index + 1}. ${title}\n       ${seen}`);
      held++;
    } catch (error) {
      console.log(
        `  ✗ ${index + 1}. ${title}\n       ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  console.log(`\n${held} of ${tour.length} held.`);
  if (held === tour.length)
    console.log('Next: "npm run demo" stays up for you to try; "npm start -- --help" is the real thing.');
  return held === tour.length;
}

function printInvitation(fabric: DemoFabric): void {
  const chat = `-H 'content-type: application/json' -d '{"model":"chat-fast","messages":[{"role":"user","content":"hello"}]}'`;
  console.log(`
OpenAI-compatible address   ${fabric.url}/v1
Control API, agents (TLS)   ${fabric.tlsUrl}
Operator's commands         npx ai-fabric hosts --data ${fabric.dataDirectory}

Try:
  curl -i ${fabric.url}/v1/chat/completions ${chat}
  curl -N ${fabric.url}/v1/chat/completions ${chat.replace('"model":"chat-fast"', '"model":"chat-deep","stream":true')}
  curl ${fabric.url}/v1/embeddings -H 'content-type: application/json' -d '{"model":"embeddings-general","input":"hello"}'

Ctrl-C ends it all.
`);
}

/** Redraws in place on a terminal; elsewhere prints one screen and waits. */
async function showStatus(fabric: DemoFabric, interrupted: Promise<unknown>): Promise<void> {
  const terminal = process.stdout.isTTY === true;
  let linesDrawn = 0;
  let ended = false;
  void interrupted.then(() => {
    ended = true;
  });
  while (!ended) {
    const lines = await readStatusScreen(fabric);
    if (ended) break;
    if (linesDrawn > 0) process.stdout.write(`\x1b[${linesDrawn}A\x1b[J`);
    console.log(lines.join('\n'));
    linesDrawn = lines.length;
    if (!terminal) break;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, REDRAW_MS)), interrupted]);
  }
  await interrupted;
}

// A terminal that was closed: the end is worth more than its last lines.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main();
