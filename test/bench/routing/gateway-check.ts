import { eventually } from '../../simulators/common/eventually.js';
import { startVllmSimulator } from '../../simulators/vllm/start-vllm-simulator.js';
import type { BenchContext } from '../bench.js';
import { startAgentProcess } from '../fabric/agent-process.js';
import { ControlPlaneProcess } from '../fabric/control-plane-process.js';
import { pause } from '../machine/pause.js';
import { percentile } from '../statistics.js';
import { at } from './at.js';
import { policies } from './policies.js';
import { figuresOf } from './run-scenario.js';
import type { Scenario } from './scenario/scenario.js';
import { simulate } from './simulate.js';
import { drawRequests, type LabRequest } from './workload.js';

/** Engines run so much faster than their cards, and requests come so much faster: more of them in the same time. */
const HASTE = 4;
const HOST = 'bench-host';
const ROLE = 'chat';
const MODEL = 'bench-model';
const CHARACTERS_PER_TOKEN = 4;
const CHECKED = ['ours', 'least-in-flight', 'round-robin'] as const;
type Checked = (typeof CHECKED)[number];

/** p95 TTFT of a policy, in the time of the cards. Seconds. */
export interface CheckedPolicy {
  readonly policy: Checked;
  readonly simulated: number;
  readonly measured: number;
  readonly failed: number;
}

/**
 * The same arrivals to simulated vLLM servers with the laboratory's engine, through a real control plane that watches
 * them by a real agent. Our own choice is the role's; the others pick a deployment by their rule and ask for it by name.
 *
 * @param seconds of arrivals for each policy
 * @throws Error where something does not start
 */
export async function checkAgainstGateway(
  context: BenchContext,
  scenario: Scenario,
  seconds: number,
): Promise<CheckedPolicy[]> {
  const hasty = hurry(scenario, seconds);
  const seed = scenario.seed;
  const requests = drawRequests(hasty, seed, { count: hasty.requests, fromMs: 0 });
  const port = await startFabric(context, hasty);
  const checked: CheckedPolicy[] = [];
  for (const name of CHECKED) {
    context.progress(`${name} through the gateway`);
    const { ttftMs, failed } = await replay(port, hasty, requests, name);
    const counted = ttftMs.slice(hasty.ignoreFirst).filter((ms) => !Number.isNaN(ms));
    const policy = policies.find((each) => each.name === name);
    if (policy === undefined) throw new Error(`${name} is no policy`);
    const { ttftP95 } = figuresOf(simulate(hasty, policy, seed));
    const measured = (percentile(counted, 0.95) / 1_000) * HASTE;
    checked.push({ policy: name, simulated: ttftP95 * HASTE, measured, failed });
  }
  return checked;
}

/** Policies that are nearer to each other in simulation are in no order. */
const CLEAR_TIMES = 1.15;

/** Whether policies that are clearly apart in simulation come in the same order through the gateway. */
export function agrees(checked: readonly CheckedPolicy[]): boolean {
  return checked.every((better) =>
    checked.every(
      (worse) =>
        worse.simulated < better.simulated * CLEAR_TIMES ||
        worse.measured > better.measured ||
        worse === better,
    ),
  );
}

function hurry(scenario: Scenario, seconds: number): Scenario {
  const requestsPerSecond = scenario.requestsPerSecond * HASTE;
  const requests = Math.max(20, Math.round(requestsPerSecond * seconds));
  const fleet = scenario.fleet.map((replica) => {
    const { iterationMs, decodingMs, promptTokenMs } = replica.shape;
    const times = { iterationMs, decodingMs, promptTokenMs };
    const quick = Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, ms / HASTE]));
    return { ...replica, shape: { ...replica.shape, ...quick } };
  });
  return {
    ...scenario,
    fleet,
    requests,
    requestsPerSecond,
    ignoreFirst: Math.round(requests / 5),
    streamed: 1,
  };
}

/** @returns the gateway's port, when all replicas are ready */
async function startFabric(context: BenchContext, { fleet }: Scenario): Promise<number> {
  context.progress('starting the control plane, an agent and simulated engines');
  const urls: Record<string, string> = {};
  for (const { deployment, shape } of fleet) {
    const engine = await startVllmSimulator({
      ...{ model: MODEL, name: deployment, batch: shape, maxConcurrent: shape.slots },
      ...{ prefixCaching: false, gaugeColdMs: 0, maxModelLen: shape.kvTokens },
    });
    context.atEnd(() => engine.close());
    urls[deployment] = engine.url;
  }
  const fabricYaml = JSON.stringify({
    version: 1,
    hosts: { [HOST]: {} },
    deployments: Object.fromEntries(
      fleet.map(({ deployment, shape }) => [
        deployment,
        {
          ...{ host: HOST, task: 'chat', engine: 'external', url: urls[deployment], servedModel: MODEL },
          maxConcurrent: shape.slots,
        },
      ]),
    ),
    roles: { [ROLE]: { task: 'chat', targets: fleet.map(({ deployment }) => ({ deployment })) } },
  });
  const controlPlane = await ControlPlaneProcess.prepare({ context, role: 'measured', fabricYaml });
  await controlPlane.start();
  await startAgentProcess({ context, controlPlane, hostName: HOST, role: 'measured' });
  await eventually(
    'all replicas are ready',
    async () => {
      type Deployments = { items: readonly { observed: { status: { phase: string } } | null }[] };
      const { items } = await controlPlane.api<Deployments>('/deployments');
      return items.every(({ observed }) => observed?.status.phase === 'ready');
    },
    30_000,
  );
  return controlPlane.port;
}

async function replay(
  port: number,
  { fleet }: Scenario,
  requests: readonly LabRequest[],
  policy: Checked,
): Promise<{ readonly ttftMs: number[]; readonly failed: number }> {
  const inFlight = fleet.map(() => 0);
  const startedAtMs = performance.now();
  const asked: Promise<number>[] = [];
  for (const [index, request] of requests.entries()) {
    const aheadMs = request.atMs - (performance.now() - startedAtMs);
    if (aheadMs > 0) await pause(aheadMs);
    const replica = policy === 'round-robin' ? index % fleet.length : inFlight.indexOf(Math.min(...inFlight));
    const model = policy === 'ours' ? ROLE : at(fleet, replica).deployment;
    inFlight[replica] = at(inFlight, replica) + 1;
    const asking = ask(port, model, request).finally(() => {
      inFlight[replica] = at(inFlight, replica) - 1;
    });
    asked.push(asking.catch(() => Number.NaN));
  }
  const ttftMs = await Promise.all(asked);
  return { ttftMs, failed: ttftMs.filter(Number.isNaN).length };
}

/** @returns milliseconds to the first token. @throws Error where the answer is none, or is not whole */
async function ask(port: number, model: string, request: LabRequest): Promise<number> {
  const startedAtMs = performance.now();
  const words = request.promptTokens * CHARACTERS_PER_TOKEN;
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ model, stream: true, ignore_eos: true, max_tokens: request.answerTokens },
      messages: [{ role: 'user', content: `${request.index} `.padEnd(words, 'word ') }],
    }),
    signal: AbortSignal.timeout(120_000),
  });
  if (!response.ok || response.body === null) throw new Error(`${model} answered ${response.status}`);
  const decoder = new TextDecoder();
  let firstMs = Number.NaN;
  let text = '';
  for await (const bytes of response.body) {
    text = text.slice(-CONTENT_REACH) + decoder.decode(bytes, { stream: true });
    if (Number.isNaN(firstMs) && /"content":"[^"]/.test(text)) firstMs = performance.now() - startedAtMs;
  }
  if (!text.includes('[DONE]')) throw new Error(`${model} broke off`);
  return firstMs;
}

/** A mark that two reads cut in half is found all the same. */
const CONTENT_REACH = 64;
