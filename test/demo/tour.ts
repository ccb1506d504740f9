import { eventually } from '../simulators/common/eventually.js';
import { EXPECTED_MODELS, SECOND_CHAT } from './demo-estate.js';
import type { DemoFabric } from './demo-fabric.js';
import type { GatewayAnswer } from './rest.js';
import type { TourStep } from './take-tour.js';

const CHAT_DEEP = 'llama31-8b-wintermute';
const CHAT_FAST = ['qwen2.5-7b-armitage', SECOND_CHAT];
/** wintermute serves chat-fast too while it is awake. */
const BUT_ARMITAGE = [SECOND_CHAT, CHAT_DEEP];

export const tour: readonly TourStep<DemoFabric>[] = [
  { title: 'hosts report real telemetry; wintermute is off, and can be woken', run: hostsReport },
  { title: "/v1/models lists the estate's ten names, each with its state", run: modelsAreListed },
  { title: 'chat-fast is answered by a card of ours', run: (fabric) => chat(fabric, 'chat-fast', CHAT_FAST) },
  { title: 'chat-fast, streaming', run: (fabric) => streamChat(fabric, 'chat-fast', CHAT_FAST) },
  {
    title: 'local/chat, the old name, reaches the same cards',
    run: (fabric) => chat(fabric, 'local/chat', CHAT_FAST),
  },
  { title: 'embeddings-general is answered by its own model', run: embeddings },
  {
    title: 'chat-deep, whose only host is off, is answered by the cloud, and wakes that host for the next',
    run: cloudWhileWaking,
  },
  { title: 'a game on that host takes its card: chat-deep goes elsewhere until it is over', run: ownerPlays },
  { title: 'wintermute is rehearsed: put to sleep, woken, and proven by a token', run: rehearsed },
  { title: 'nobody asks for wintermute any more: it goes to sleep by itself', run: idleGoesToSleep },
  {
    title: 'declared to hold, a chat-deep stream waits for the host that it wakes, and is answered by it',
    run: heldWhileWaking,
  },
  { title: 'a busy card is passed over for an idle one', run: busyCardIsPassedOver },
  {
    title: 'an engine is killed in mid-stream: the client is told, nothing is cut off in silence',
    run: killedMidStream,
  },
  {
    title: 'the next request is answered elsewhere',
    run: (fabric) => chat(fabric, 'chat-fast', BUT_ARMITAGE),
  },
  { title: 'the engine comes back, proves a token, and serves again', run: engineComesBack },
  {
    title: 'the control plane is killed and restarted: agents are back, nothing declared is lost',
    run: controlPlaneRestarts,
  },
];

async function hostsReport(fabric: DemoFabric): Promise<string> {
  await eventually('this machine tells its memory', async () => {
    const own = (await fabric.hosts()).find((host) => host.name === fabric.thisHost);
    return own?.sample?.host.memoryUsedBytes != null;
  });
  const hosts = await fabric.hosts();
  const online = hosts.filter((host) => host.presence === 'online' && host.sample !== null);
  const names = online.map((host) => host.name).sort();
  const expected = ['armitage', fabric.thisHost, 'motoko'].sort();
  check(
    names.join() === expected.join(),
    `online with telemetry: ${names.join(', ')}; expected ${expected.join(', ')}`,
  );
  const wintermute = hosts.find((host) => host.name === 'wintermute');
  check(wintermute?.presence === 'away', `wintermute is ${wintermute?.presence ?? 'unknown'}`);
  const { wakeability } = wintermute?.power ?? {};
  check(
    wakeability?.kind === 'yes',
    `wintermute can be woken: ${wakeability?.kind} ${wakeability?.detail ?? ''}`,
  );
  const own = online.find((host) => host.name === fabric.thisHost);
  const card = own?.inventory?.gpus[0]?.name ?? 'no NVIDIA card';
  return `${names.join(', ')} online; this machine: ${card}`;
}

async function modelsAreListed(fabric: DemoFabric): Promise<string> {
  const answer = await fabric.rest.get('/v1/models');
  const { data } = JSON.parse(answer.text) as { data: { id: string; fabric?: { state?: string } }[] };
  const ids = data.map((model) => model.id).sort();
  check(ids.join() === EXPECTED_MODELS.join(), `listed: ${ids.join(', ')}`);
  check(
    data.every((model) => typeof model.fabric?.state === 'string'),
    'a model is listed without its state',
  );
  return data.map((model) => `${model.id}:${model.fabric?.state}`).join(' ');
}

async function chat(fabric: DemoFabric, model: string, by: readonly string[]): Promise<string> {
  const answer = await fabric.rest.post('/v1/chat/completions', chatBody(model, false));
  check(answer.status === 200, `status ${answer.status}: ${answer.text.slice(0, 200)}`);
  const body = JSON.parse(answer.text) as { choices: { message: { content: string } }[] };
  check((body.choices[0]?.message.content ?? '') !== '', 'the answer is empty');
  return servedBy(answer, by);
}

async function streamChat(fabric: DemoFabric, model: string, by: readonly string[]): Promise<string> {
  const answer = await fabric.rest.post('/v1/chat/completions', chatBody(model, true));
  check(answer.status === 200, `status ${answer.status}: ${answer.text.slice(0, 200)}`);
  const events = answer.text.split('\n\n').filter((event) => event.startsWith('data: '));
  check(events.at(-1) === 'data: [DONE]', 'the stream does not end with [DONE]');
  check(!answer.text.includes('"usage":{'), 'a usage event that nobody asked for reached the client');
  return `${servedBy(answer, by)}, ${events.length} events`;
}

async function embeddings(fabric: DemoFabric): Promise<string> {
  const ask = (encoding: string) =>
    fabric.rest.post('/v1/embeddings', {
      model: 'embeddings-general',
      input: 'who answers?',
      encoding_format: encoding,
    });
  const [floats, base64] = [await ask('float'), await ask('base64')];
  const vector = (JSON.parse(floats.text) as { data: { embedding: number[] }[] }).data[0]?.embedding ?? [];
  const text = (JSON.parse(base64.text) as { data: { embedding: string }[] }).data[0]?.embedding ?? '';
  const decoded = new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
  check(vector.length > 0 && decoded.length === vector.length, 'float and base64 vectors differ in length');
  check(
    vector.every((value, index) => Math.abs(value - (decoded[index] ?? 0)) < 1e-6),
    'the two vectors differ',
  );
  return `${servedBy(floats, ['bge-base-motoko'])}, ${vector.length} dimensions, base64 too`;
}

async function cloudWhileWaking(fabric: DemoFabric): Promise<string> {
  const startedAt = performance.now();
  const first = await chat(fabric, 'chat-deep', ['openai/strong']);
  await eventually('wintermute serves', async () => (await stateOf(fabric, 'chat-deep')) === 'ready', 20_000);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const next = await streamChat(fabric, 'chat-deep', [CHAT_DEEP]);
  return `${first}; a magic packet, and ${seconds} s later: ${next}`;
}

async function ownerPlays(fabric: DemoFabric): Promise<string> {
  const smi = fabric.cards.get('wintermute');
  const [card] = smi?.scenario.cards ?? [];
  if (smi === undefined || card === undefined) throw new Error('wintermute has no card');
  const ownerState = async () =>
    (await fabric.hosts()).find((host) => host.name === 'wintermute')?.owner ?? null;
  const startedAt = performance.now();
  await smi.change({ cards: [{ ...card, vramUsedMib: card.vramMib - 200, load: 0.95 }] });
  await eventually(
    'the card is its owner\u2019s',
    async () => (await ownerState())?.state === 'yielded',
    15_000,
  );
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const seen = (await ownerState())?.detail ?? '';
  const answer = await chat(fabric, 'chat-deep', ['openai/strong']);
  await smi.change({ cards: [card] });
  await eventually(
    'the card is the fabric\u2019s again',
    async () => (await ownerState())?.state === 'serving',
    30_000,
  );
  await chat(fabric, 'chat-deep', [CHAT_DEEP]);
  return `yielded after ${seconds} s (${seen}); ${answer}; and back when it was quiet`;
}

async function heldWhileWaking(fabric: DemoFabric): Promise<string> {
  const answer = await fabric.rest.post('/v1/chat/completions', chatBody('chat-deep', true));
  check(answer.status === 200, `status ${answer.status}: ${answer.text.slice(0, 200)}`);
  check(answer.text.trimEnd().endsWith('data: [DONE]'), `the end was: ${answer.text.slice(-200)}`);
  const { items } = await fabric.rest.api<{ items: { phases: Readonly<Record<string, number>> }[] }>(
    '/wakes',
  );
  const {
    packet_sent: packetMs = 0,
    agent_back: backMs = 0,
    model_ready: readyMs = 0,
  } = items[0]?.phases ?? {};
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const told = `packet after ${Math.round(packetMs)} ms, agent back after ${seconds(backMs)}, model ready after ${seconds(readyMs)}`;
  return `${servedBy(answer, [CHAT_DEEP])}; ${told}`;
}

async function rehearsed(fabric: DemoFabric): Promise<string> {
  const startedAt = performance.now();
  await fabric.rest.api('/hosts/wintermute/rehearse', { method: 'POST', body: { action: 'poweroff' } });
  const rehearsal = () =>
    fabric.rest.api<{ outcome: string | null; detail: string | null }>('/hosts/wintermute/rehearsal');
  await eventually('the rehearsal is over', async () => (await rehearsal()).outcome !== null, 45_000);
  const { outcome, detail } = await rehearsal();
  check(outcome === 'proven', `the rehearsal: ${outcome} ${detail ?? ''}`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return `off, and back with a token, in ${seconds} s; 15 s of them were for it to lie down`;
}

async function idleGoesToSleep(fabric: DemoFabric): Promise<string> {
  await fabric.applyFabric('hold');
  const startedAt = performance.now();
  await eventually(
    'wintermute sleeps',
    async () => (await powerOf(fabric, 'wintermute')) === 'asleep',
    25_000,
  );
  return `asleep ${((performance.now() - startedAt) / 1000).toFixed(1)} s later, as declared; it was seen to come back`;
}

async function powerOf(fabric: DemoFabric, name: string): Promise<string | undefined> {
  return (await fabric.hosts()).find((host) => host.name === name)?.power.state;
}

async function busyCardIsPassedOver(fabric: DemoFabric): Promise<string> {
  const armitage = fabric.engines.get('qwen2.5-7b-armitage');
  await armitage?.fault({ kind: 'externalLoad', running: 14, waiting: 6, kvUsage: 0.95 });
  await eventually('armitage reports the load of others', async () => {
    const { observed } = await fabric.rest.api<{
      observed: { reading: { running: number | null } | null } | null;
    }>('/deployments/qwen2.5-7b-armitage');
    return (observed?.reading?.running ?? 0) >= 14;
  });
  const seen = [];
  for (let turn = 0; turn < 4; turn++) seen.push(await chat(fabric, 'chat-fast', BUT_ARMITAGE));
  await armitage?.fault({ kind: 'none' });
  return `4 of 4 ${seen[0] ?? ''}`;
}

async function killedMidStream(fabric: DemoFabric): Promise<string> {
  const name = 'qwen2.5-7b-armitage';
  const asked = fabric.rest.post('/v1/chat/completions', chatBody(name, true));
  const engine = fabric.engines.get(name);
  await eventually('the stream is under way', () => (engine?.running ?? 0) > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await engine?.fault({ kind: 'crash' });
  const answer = await asked;
  check(answer.text.includes('upstream_interrupted'), `the end was: ${answer.text.slice(-200)}`);
  check(!answer.text.includes('[DONE]'), 'a broken stream ended with [DONE]');
  return 'error event "upstream_interrupted", no [DONE]';
}

async function engineComesBack(fabric: DemoFabric): Promise<string> {
  await eventually(
    'the agent saw that the engine is gone',
    async () => (await phaseOf(fabric, 'qwen2.5-7b-armitage')) !== 'ready',
    10_000,
  );
  await fabric.engines.get('qwen2.5-7b-armitage')?.restart();
  const startedAt = performance.now();
  await eventually(
    'armitage is ready again',
    async () => (await phaseOf(fabric, 'qwen2.5-7b-armitage')) === 'ready',
    15_000,
  );
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return `ready after ${seconds} s; ${await chat(fabric, 'qwen2.5-7b-armitage', ['qwen2.5-7b-armitage'])}`;
}

async function controlPlaneRestarts(fabric: DemoFabric): Promise<string> {
  const before = await declared(fabric);
  // wintermute may be on its way to sleep.
  const names = ['armitage', 'motoko', fabric.thisHost];
  await fabric.programs.killControlPlane();
  const startedAt = performance.now();
  await fabric.startControlPlane();
  const readyMs = Math.round(performance.now() - startedAt);
  await eventually(
    'all three agents are linked again',
    async () => {
      const online = (await fabric.hosts()).filter((host) => host.presence === 'online');
      return names.every((name) => online.some((host) => host.name === name));
    },
    15_000,
  );
  const relinkedMs = Math.round(performance.now() - startedAt);
  await eventually(
    'replicas are ready again',
    async () => (await phaseOf(fabric, SECOND_CHAT)) === 'ready',
    10_000,
  );
  check((await declared(fabric)) === before, 'the declared state changed');
  await chat(fabric, 'chat-fast', [...CHAT_FAST, CHAT_DEEP]);
  return `answering after ${readyMs} ms, agents back after ${relinkedMs} ms, declared state the same`;
}

async function declared(fabric: DemoFabric): Promise<string> {
  const roles = await fabric.rest.api<{ items: { name: string; targets: unknown }[] }>('/roles');
  const deployments = await fabric.rest.api<{ items: { name: string; url: string }[] }>('/deployments');
  return JSON.stringify([
    roles.items.map(({ name, targets }) => [name, targets]),
    deployments.items.map(({ name, url }) => [name, url]),
  ]);
}

/** As `/v1/models` tells it. */
async function stateOf(fabric: DemoFabric, model: string): Promise<string | undefined> {
  const { text } = await fabric.rest.get('/v1/models');
  const { data } = JSON.parse(text) as { data: { id: string; fabric?: { state?: string } }[] };
  return data.find(({ id }) => id === model)?.fabric?.state;
}

async function phaseOf(fabric: DemoFabric, deployment: string): Promise<string> {
  const { observed } = await fabric.rest.api<{ observed: { status: { phase: string } } | null }>(
    `/deployments/${deployment}`,
  );
  return observed?.status.phase ?? 'not seen';
}

function chatBody(model: string, stream: boolean): Record<string, unknown> {
  return { model, stream, messages: [{ role: 'user', content: 'Who are you, and where do you run?' }] };
}

function servedBy(answer: GatewayAnswer, expected: readonly string[]): string {
  const replica = answer.headers.get('x-fabric-replica') ?? '(no x-fabric-replica)';
  check(expected.includes(replica), `answered by ${replica}; expected ${expected.join(' or ')}`);
  const overhead = answer.headers.get('x-fabric-overhead-ms');
  return `by ${replica} in ${Math.round(answer.tookMs)} ms (${overhead} ms of it ours, ${answer.headers.get('x-fabric-reason')})`;
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
