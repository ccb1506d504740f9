import { join } from 'node:path';
import {
  type DockerEngineSimulator,
  startDockerEngine,
} from '../../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../../simulators/docker-engine/vllm-program.js';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { benchProgram, nodeFlagsOf, programs } from '../fabric/programs.js';
import { BenchProcess } from '../machine/bench-process.js';
import { pause } from '../machine/pause.js';
import { Rounds } from '../rounds.js';
import type { KeeperQuestion } from './keeper-program.js';
import { measureAgentMemory } from './measure-agent-memory.js';

const REPLICAS = 50;
const CARD = 'GPU-5f1d3c8e-7a42-4c1e-9a53-1f0f7d3c2b11';
const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
/** Each replica is looked at once in so long when nothing happens. */
const PASS_MS = 4_500;
const IDLE_PASSES = 3;
const SETTLE_MS = 6_000;

export const reconcileBench: Bench = {
  name: 'reconcile',
  measures: `what keeping ${REPLICAS} containers costs, and how soon a crash is seen and mended (simulated engine)`,
  figures: [
    {
      name: 'idle_pass_cpu_ms',
      meaning: `CPU time to look once at ${REPLICAS} ready replicas`,
      limit: { atMost: 20 },
      from: 'median',
    },
    {
      name: 'crash_seen_ms',
      meaning: "from the kill of a container's process until its replica is not ready any more",
      limit: { atMost: 1_000 },
      from: 'greatest',
    },
    {
      name: 'restart_begins_ms',
      meaning: 'from that kill until its process is started again',
      limit: { atMost: 2_000 },
      from: 'greatest',
    },
    {
      name: 'adopted_ready_ms',
      meaning: `from a new agent's first word of what is declared until all ${REPLICAS} are ready, none restarted`,
      limit: { atMost: 5_000 },
      from: 'greatest',
    },
    {
      name: 'agent_rss_mb',
      meaning:
        'resident memory of an agent that pulls one image and follows 1,000 log lines/s of another container',
      limit: { atMost: 95 },
      from: 'greatest',
    },
  ],
  run: runReconcileBench,
};

/** Engines that were started, by container, with the time of the last start. */
type Starts = Map<string, number>;

interface Scene {
  readonly engine: DockerEngineSimulator;
  readonly keeper: BenchProcess;
  readonly starts: Starts;
  readonly deployments: readonly string[];
}

async function runReconcileBench(context: BenchContext): Promise<Measured> {
  const scene = await open(context);
  const { keeper, deployments } = scene;
  context.progress(`making ${REPLICAS} containers`);
  await tell(keeper, { do: 'declare', deployments, image: IMAGE });
  await tell(keeper, { do: 'await ready', deployments });
  const rounds = new Rounds();
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}`);
    await pause(SETTLE_MS);
    await measureIdle(scene, rounds);
    await measureCrash(scene, rounds, round);
    await measureRestart(scene, rounds);
  }
  await keeper.stop();
  context.progress('starting an agent that pulls and follows');
  await measureAgentMemory(context, rounds);
  const notes = [
    'Engines and container engine are simulated, in the process that loads. agent_rss_mb is of the real agent; all else of its keeping part alone.',
  ];
  return { rounds: rounds.all, leftOut: [], notes };
}

async function open(context: BenchContext): Promise<Scene> {
  const starts: Starts = new Map();
  const start = vllmProgram({ onEngine: (_, { wish }) => void starts.set(wish.name, Date.now()) });
  const path = join(context.directory, 'docker.sock');
  const engine = await startDockerEngine({
    path,
    cards: [{ uuid: CARD, name: 'NVIDIA GeForce RTX 4070' }],
    images: [{ reference: IMAGE, start }],
  });
  context.atEnd(() => engine.close());
  const { profileDirectory } = context;
  const profiling = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const keeper = new BenchProcess({
    name: 'the keeper',
    machine: context.machine,
    role: 'measured',
    file: process.execPath,
    args: [...nodeFlagsOf(programs.agent), ...profiling, benchProgram('reconcile/keeper-program')],
    logFile: join(context.directory, 'keeper.log'),
    messages: true,
  });
  context.atEnd(() => keeper.stop());
  await tell(keeper, { do: 'start', socketPath: path, card: CARD });
  const deployments = Array.from({ length: REPLICAS }, (_, at) => `replica-${String(at).padStart(2, '0')}`);
  return { engine, keeper, starts, deployments };
}

function tell(keeper: BenchProcess, question: KeeperQuestion): Promise<{ readonly atMs: number }> {
  return keeper.ask<{ readonly atMs: number }>(question, 150_000);
}

async function measureIdle({ keeper }: Scene, rounds: Rounds): Promise<void> {
  const before = keeper.readings();
  await pause(IDLE_PASSES * PASS_MS);
  const after = keeper.readings();
  rounds.add('idle_pass_cpu_ms', ((after.cpuSeconds - before.cpuSeconds) * 1_000) / IDLE_PASSES);
}

async function measureCrash(
  { engine, keeper, starts, deployments }: Scene,
  rounds: Rounds,
  round: number,
): Promise<void> {
  const deployment = deployments[round % deployments.length] ?? '';
  const name = `ai-fabric-${deployment}`;
  const seen = tell(keeper, { do: 'await crash', deployment });
  // The question is on its way before the kill is.
  await pause(100);
  const killedAtMs = Date.now();
  await engine.kill(name);
  rounds.add('crash_seen_ms', (await seen).atMs - killedAtMs);
  await tell(keeper, { do: 'await ready', deployments: [deployment] });
  rounds.add('restart_begins_ms', (starts.get(name) ?? Number.NaN) - killedAtMs);
}

async function measureRestart({ keeper, starts, deployments }: Scene, rounds: Rounds): Promise<void> {
  const before = new Map(starts);
  const { atMs } = await tell(keeper, { do: 'restart' });
  await tell(keeper, { do: 'declare', deployments, image: IMAGE });
  const ready = await tell(keeper, { do: 'await ready', deployments });
  rounds.add('adopted_ready_ms', ready.atMs - atMs);
  const restarted = deployments.filter(
    (deployment) => before.get(`ai-fabric-${deployment}`) !== starts.get(`ai-fabric-${deployment}`),
  );
  if (restarted.length > 0) throw new Error(`${restarted.length} containers were started again`);
}
