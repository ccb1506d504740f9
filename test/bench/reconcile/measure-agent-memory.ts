import { join } from 'node:path';
import { eventually } from '../../simulators/common/eventually.js';
import type { SimulatedContainer } from '../../simulators/docker-engine/simulated-container.js';
import { startDockerEngine } from '../../simulators/docker-engine/start-docker-engine.js';
import { vllmProgram } from '../../simulators/docker-engine/vllm-program.js';
import { installNvidiaSmi } from '../../simulators/nvidia-smi/install-nvidia-smi.js';
import { SAMPLE_CARDS } from '../../simulators/nvidia-smi/scenario.js';
import type { BenchContext } from '../bench.js';
import { startAgentProcess } from '../fabric/agent-process.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { pause } from '../machine/pause.js';
import type { Rounds } from '../rounds.js';

const HOST_NAME = 'bench-host';
const CARD = { ...SAMPLE_CARDS.rtx4070Super, vramUsedMib: 500 };
const SERVING = { deployment: 'serving', image: 'docker.io/vllm/vllm-openai:v0.32.0' };
const FETCHED = { deployment: 'fetched', image: 'docker.io/vllm/vllm-openai:v0.33.0' };
const LINES_PER_SECOND = 1_000;
const LINES_EACH_MS = 20;
/** A line of vLLM's log. */
const LINE = `INFO 11-24 22:00:00 [loggers.py:123] Engine 000: Avg prompt throughput: 812.3 tokens/s, Avg generation throughput: 211.9 tokens/s, Running: 4 reqs, Waiting: 0 reqs, GPU KV cache usage: 31.2%\n`;
const SETTLE_MS = 20_000;
const ROUND_MS = 10_000;
const SAMPLE_MS = 250;
/** As many as vLLM's image has, and as often as Docker tells of each. */
const LAYERS = Array.from({ length: 30 }, (_, at) => ({ id: `layer${at}`, bytes: 300_000_000 }));
const PROGRESS_PER_SECOND = 30;
/** A log that lags behind more than that was not followed. */
const FOLLOWED_RATIO = 0.9;

/** The real agent: one container's log is followed through the control plane while the image of another comes. */
export async function measureAgentMemory(context: BenchContext, rounds: Rounds): Promise<void> {
  const engine = await openEngine(context);
  context.atEnd(() => engine.close());
  const controlPlane = await ControlPlaneProcess.prepare({
    context,
    role: 'load',
    fabricYaml: describeFabric(),
  });
  await controlPlane.start();
  const card = await installNvidiaSmi({
    directory: join(context.directory, 'nvidia-smi'),
    scenario: { cards: [CARD] },
  });
  const agent = await startAgentProcess({
    context,
    controlPlane,
    hostName: HOST_NAME,
    role: 'measured',
    environment: {
      AI_FABRIC_AGENT_NVIDIA_SMI: card.path,
      AI_FABRIC_AGENT_CONTAINER_ENGINE: `unix://${engine.path}`,
    },
  });
  const isBusy = async (): Promise<boolean> =>
    (await phaseOf(controlPlane, SERVING.deployment)) === 'ready' &&
    (await phaseOf(controlPlane, FETCHED.deployment)) === 'pulling';
  await eventually('one replica is ready while the image of another comes', isBusy, 60_000);
  chatter(context, engine.container(`ai-fabric-${SERVING.deployment}`));
  const follower = await follow(context, controlPlane);
  await pause(SETTLE_MS);
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`memory, round ${round} of ${context.rounds}, ${ROUND_MS / 1_000} s`);
    const linesBefore = follower.lines();
    const startedAtMs = performance.now();
    let greatest = 0;
    while (performance.now() - startedAtMs < ROUND_MS) {
      greatest = Math.max(greatest, agent.readings().rssBytes);
      await pause(SAMPLE_MS);
    }
    const perSecond = ((follower.lines() - linesBefore) * 1_000) / (performance.now() - startedAtMs);
    rounds.add('agent_rss_mb', greatest / 1e6);
    rounds.add('followed_lines_per_second', perSecond);
    if (perSecond < LINES_PER_SECOND * FOLLOWED_RATIO) {
      throw new Error(`only ${perSecond.toFixed(0)} lines a second came through`);
    }
  }
  if (!(await isBusy())) throw new Error('the image came, or the replica went, while memory was measured');
}

function openEngine(context: BenchContext): ReturnType<typeof startDockerEngine> {
  const pullSeconds = 120 + (SETTLE_MS + 2 * context.rounds * ROUND_MS) / 1_000;
  return startDockerEngine({
    path: join(context.directory, 'memory.sock'),
    cards: [{ uuid: CARD.uuid, name: CARD.name }],
    images: [{ reference: SERVING.image, start: vllmProgram() }],
    registry: [{ reference: FETCHED.image, layers: LAYERS }],
    layerMs: (pullSeconds * 1_000) / LAYERS.length,
    layerSteps: Math.ceil((pullSeconds * PROGRESS_PER_SECOND) / LAYERS.length),
  });
}

function describeFabric(): string {
  const common = { host: HOST_NAME, task: 'chat', engine: 'vllm', contextTokens: 4_096 };
  const declared = [SERVING, FETCHED].map(({ deployment, image }) => [
    deployment,
    { ...common, model: 'Qwen/Qwen2.5-1.5B-Instruct', image },
  ]);
  return JSON.stringify({
    version: 1,
    hosts: { [HOST_NAME]: {} },
    deployments: Object.fromEntries(declared),
    roles: {},
  });
}

async function phaseOf(controlPlane: ControlPlaneProcess, deployment: string): Promise<string | null> {
  type Deployment = { observed: { status: { phase: string } } | null };
  const { observed } = await controlPlane.api<Deployment>(`/deployments/${deployment}`);
  return observed?.status.phase ?? null;
}

function chatter(context: BenchContext, container: SimulatedContainer): void {
  const startedAtMs = performance.now();
  let written = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAtMs) * LINES_PER_SECOND) / 1_000;
    for (; written < due; written += 1) container.log(LINE);
  }, LINES_EACH_MS);
  context.atEnd(() => clearInterval(timer));
}

/** As `ai-fabric logs -f` does. */
async function follow(
  context: BenchContext,
  controlPlane: ControlPlaneProcess,
): Promise<{ readonly lines: () => number }> {
  const leave = new AbortController();
  const address = `http://127.0.0.1:${controlPlane.port}/api/v1/deployments/${SERVING.deployment}/logs`;
  const answer = await fetch(`${address}?follow=true&tail=0`, {
    headers: { authorization: `Bearer ${controlPlane.adminToken}` },
    signal: leave.signal,
  });
  if (!answer.ok || answer.body === null)
    throw new Error(`the log cannot be followed: ${await answer.text()}`);
  let lines = 0;
  const reading = countLines(answer.body, (more) => {
    lines += more;
  });
  context.atEnd(async () => {
    leave.abort();
    // Given up by us.
    await reading.catch(() => undefined);
  });
  return { lines: () => lines };
}

async function countLines(body: AsyncIterable<Uint8Array>, count: (lines: number) => void): Promise<void> {
  for await (const chunk of body) count(chunk.reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 0));
}
