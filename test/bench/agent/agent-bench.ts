import { join } from 'node:path';
import { eventually } from '../../simulators/common/eventually.js';
import { installNvidiaSmi } from '../../simulators/nvidia-smi/install-nvidia-smi.js';
import { startVllmSimulator } from '../../simulators/vllm/start-vllm-simulator.js';
import type { Bench, BenchContext, Measured } from '../bench.js';
import { startAgentProcess } from '../fabric/agent-process.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { pause } from '../machine/pause.js';
import { corePercent } from '../machine/process-readings.js';
import { Rounds } from '../rounds.js';

const HOST_NAME = 'bench-host';
const MODEL = 'Qwen/Qwen2.5-7B-Instruct-AWQ';
const GPU_CADENCE_MS = 2_000;
/** Inventories and the proof of the replica are over, and V8 has given back what they needed. */
const SETTLE_MS = 30_000;
const ROUND_MS = 10_000;

export const agentBench: Bench = {
  name: 'agent',
  measures: `what a linked agent costs its host: a card read each ${GPU_CADENCE_MS / 1_000} s, one replica watched`,
  figures: [
    {
      name: 'core_percent',
      meaning: 'CPU time of the agent as a share of one core; nvidia-smi itself is not in it',
      limit: { atMost: 0.5 },
      from: 'mean',
    },
    { name: 'rss_mb', meaning: 'its resident memory', limit: { atMost: 80 }, from: 'greatest' },
  ],
  run: runAgentBench,
};

async function runAgentBench(context: BenchContext): Promise<Measured> {
  const engine = await startVllmSimulator({ model: MODEL, gaugeColdMs: 0 });
  context.atEnd(() => engine.close());
  const card = await installNvidiaSmi({ directory: join(context.directory, 'nvidia-smi') });
  const fabricYaml = describeFabric(engine.url);
  const controlPlane = await ControlPlaneProcess.prepare({ context, role: 'load', fabricYaml });
  await controlPlane.start();
  context.progress('starting the agent');
  const agent = await startAgentProcess({
    context,
    controlPlane,
    hostName: HOST_NAME,
    role: 'measured',
    environment: {
      AI_FABRIC_AGENT_NVIDIA_SMI: card.path,
      AI_FABRIC_AGENT_GPU_CADENCE_MS: String(GPU_CADENCE_MS),
    },
  });
  await eventually(
    'the host is online, its card is read and its replica is ready',
    () => isWhole(controlPlane),
    60_000,
  );
  await pause(SETTLE_MS);
  const rounds = new Rounds();
  for (let round = 1; round <= context.rounds; round += 1) {
    context.progress(`round ${round} of ${context.rounds}, ${ROUND_MS / 1_000} s`);
    const before = agent.readings();
    await pause(ROUND_MS);
    const after = agent.readings();
    rounds.add('core_percent', corePercent(before, after));
    rounds.add('rss_mb', after.rssBytes / 1e6);
  }
  if (!(await isWhole(controlPlane))) throw new Error('the agent lost its link, its card or its replica');
  return { rounds: rounds.all, leftOut: [], notes: [] };
}

/** An agent that reports nothing costs nothing: what it should do must be seen at the other end. */
async function isWhole(controlPlane: ControlPlaneProcess): Promise<boolean> {
  type Host = { presence: string; sample: { gpus: Record<string, unknown> } | null };
  type Deployment = { observed: { status: { phase: string }; reading: object | null } | null };
  const { items: hosts } = await controlPlane.api<{ items: readonly Host[] }>('/hosts');
  const { items: deployments } = await controlPlane.api<{ items: readonly Deployment[] }>('/deployments');
  const [host] = hosts;
  const [replica] = deployments.map(({ observed }) => observed);
  const readsCard = Object.keys(host?.sample?.gpus ?? {}).length > 0;
  const readsEngine = replica?.status.phase === 'ready' && replica.reading !== null;
  return host?.presence === 'online' && readsCard && readsEngine;
}

function describeFabric(url: string): string {
  const deployment = { host: HOST_NAME, task: 'chat', engine: 'external', url, servedModel: MODEL };
  return JSON.stringify({
    version: 1,
    hosts: { [HOST_NAME]: {} },
    deployments: { 'bench-chat': deployment },
    roles: { 'chat-fast': { task: 'chat', targets: [{ deployment: 'bench-chat' }] } },
  });
}
