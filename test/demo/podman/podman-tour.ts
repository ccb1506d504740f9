import type { GatewayAnswer } from '../rest.js';
import type { TourStep } from '../take-tour.js';
import { CONTAINER, DEPLOYMENT, type PodmanFabric, ROLE } from './podman-fabric.js';

const MIB = 1024 ** 2;
const CLIENTS = 6;

export const podmanTour: readonly TourStep<PodmanFabric>[] = [
  {
    title: 'a model is declared: its image is pulled, a container made with the card, a token proven',
    run: declareModel,
  },
  {
    title: 'the card is in the container; its port is on loopback alone and asks for a key',
    run: lookInside,
  },
  { title: `${ROLE} is answered by it, through the tunnel`, run: (fabric) => ask(fabric, false) },
  { title: `${ROLE}, streaming`, run: (fabric) => ask(fabric, true) },
  { title: 'the container is killed: it is back by itself, who asks meanwhile waits', run: killContainer },
  {
    title: 'its declaration changes under load: drained, made anew, not one request lost',
    run: changeUnderLoad,
  },
  {
    title: 'the agent is killed and started again: it recognises its container, which runs on',
    run: restartAgent,
  },
  { title: 'the deployment is removed: no container is left', run: removeModel },
];

/** Declares it with the operator's own command. @returns what was seen of it until it was ready */
export async function declareModel(fabric: PodmanFabric): Promise<string> {
  const { registry, host, programs } = fabric;
  const startedAt = performance.now();
  await fabric.operator(
    ...['deployments', 'create', DEPLOYMENT, '--host', host, '--task', 'chat', '--context', '4096'],
    ...['--model', 'Qwen/Qwen2.5-1.5B-Instruct', '--image', registry.reference],
  );
  const role = { task: 'chat', targets: [{ deployment: DEPLOYMENT }] };
  await programs.rest.api(`/roles/${ROLE}`, { method: 'PUT', body: role });
  const phases: { readonly name: string; readonly sinceMs: number }[] = [];
  await programs.until(
    `${DEPLOYMENT} is ready`,
    async () => {
      const name = await fabric.phase();
      if (phases.at(-1)?.name !== name) phases.push({ name, sinceMs: performance.now() });
      return name === 'ready';
    },
    90_000,
  );
  const seen = phases.flatMap(({ name, sinceMs }, index) => {
    const endMs = phases[index + 1]?.sinceMs;
    if (name === 'not seen' || name === 'absent') return [];
    return [endMs === undefined ? name : `${name} ${((endMs - sinceMs) / 1000).toFixed(1)} s`];
  });
  const size = Math.round(registry.layerBytes / MIB);
  return `${seen.join(' → ')} after ${secondsSince(startedAt)} s in all, ${size} MiB pulled`;
}

async function lookInside(fabric: PodmanFabric): Promise<string> {
  const { machine } = fabric;
  const cards = (await machine.podman('exec', CONTAINER, 'nvidia-smi', '-L')).trim();
  check(cards.includes(machine.cardUuid), `nvidia-smi in the container says: ${cards}`);
  const bindings = JSON.parse(await fabric.inspect('{{json .HostConfig.PortBindings}}')) as Readonly<
    Record<string, readonly { HostIp: string; HostPort: string }[]>
  >;
  const open = Object.values(bindings).flat();
  const port = open[0]?.HostPort;
  check(open.length === 1 && open[0]?.HostIp === '127.0.0.1', `published: ${JSON.stringify(bindings)}`);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/models`, { signal: AbortSignal.timeout(5_000) });
  check(answer.status === 401, `without a key its port answers ${answer.status}`);
  return `${cards}; 127.0.0.1:${port} answers 401 without the key that the agent made`;
}

async function ask(fabric: PodmanFabric, stream: boolean): Promise<string> {
  const answer = await fabric.chat(stream);
  check(isWhole(answer, stream), `status ${answer.status}: ${answer.text.slice(0, 200)}`);
  const replica = answer.headers.get('x-fabric-replica');
  check(replica === DEPLOYMENT, `answered by ${replica}`);
  const events = stream ? `, ${answer.text.split('\n\n').length - 1} events` : '';
  return `by ${replica} on ${answer.headers.get('x-fabric-host')} in ${Math.round(answer.tookMs)} ms${events}`;
}

async function killContainer(fabric: PodmanFabric): Promise<string> {
  const [id, before] = [await fabric.inspect('{{.Id}}'), await fabric.inspect('{{.State.StartedAt}}')];
  const killedAt = performance.now();
  await fabric.machine.podman('kill', '--signal', 'KILL', CONTAINER);
  const answered = await ask(fabric, false);
  await fabric.programs.until('it is ready again', async () => (await fabric.phase()) === 'ready', 30_000);
  check((await fabric.inspect('{{.Id}}')) === id, 'it is another container');
  check((await fabric.inspect('{{.State.StartedAt}}')) !== before, 'it was never gone');
  return `ready after ${secondsSince(killedAt)} s; asked meanwhile: ${answered}`;
}

async function changeUnderLoad(fabric: PodmanFabric): Promise<string> {
  const { programs } = fabric;
  const id = await fabric.inspect('{{.Id}}');
  let ended = false;
  const answers: string[] = [];
  const client = async (stream: boolean): Promise<void> => {
    while (!ended) {
      const answer = await fabric.chat(stream);
      answers.push(isWhole(answer, stream) ? 'whole' : `${answer.status}: ${answer.text.slice(-200)}`);
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index % 2 === 0)));
  // Told where it is awaited; a demo that is ended meanwhile awaits it no more.
  clients.catch(() => {});
  try {
    await programs.until('the load is there', () => answers.length >= 2 * CLIENTS);
    await fabric.operator('deployments', 'set', DEPLOYMENT, '--context', '2048');
    await programs.until('it is another container', async () => await otherThan(fabric, id), 60_000);
    const before = answers.length;
    await programs.until('the new one answers', () => answers.length >= before + 2 * CLIENTS, 60_000);
  } finally {
    ended = true;
  }
  await clients;
  const lost = answers.filter((answer) => answer !== 'whole');
  check(lost.length === 0, `${lost.length} of ${answers.length} were lost: ${lost[0]}`);
  return `another container; ${answers.length} of ${answers.length} requests of ${CLIENTS} clients answered in full`;
}

async function otherThan(fabric: PodmanFabric, id: string): Promise<boolean> {
  const { observed } = await fabric.deployment();
  const container = observed?.status.container?.id;
  return observed?.status.phase === 'ready' && container !== undefined && !id.startsWith(container);
}

async function restartAgent(fabric: PodmanFabric): Promise<string> {
  const before = await fabric.inspect('{{.Id}} {{.State.StartedAt}}');
  const killedAt = performance.now();
  await fabric.programs.restartAgent(fabric.host);
  await fabric.programs.until('it answers', async () => isWhole(await fabric.chat(false), false), 30_000);
  const took = secondsSince(killedAt);
  check((await fabric.inspect('{{.Id}} {{.State.StartedAt}}')) === before, 'the container was started again');
  return `answering after ${took} s; the same container, started once`;
}

async function removeModel(fabric: PodmanFabric): Promise<string> {
  const { programs, machine } = fabric;
  await programs.rest.api(`/roles/${ROLE}`, { method: 'DELETE' });
  await fabric.operator('deployments', 'rm', DEPLOYMENT);
  const listed = async (): Promise<string> => (await machine.podman('ps', '--all', '--quiet')).trim();
  await programs.until('no container is left', async () => (await listed()) === '', 30_000);
  return '"podman ps --all" lists none';
}

function isWhole({ status, text }: GatewayAnswer, stream: boolean): boolean {
  return status === 200 && (stream ? text.trimEnd().endsWith('data: [DONE]') : text.includes('"choices"'));
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
