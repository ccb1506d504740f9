import { type EngineExchange, isTrue, readJson, sendJson, sendNothing } from './exchange.js';
import { EngineRefusal } from './options.js';
import { readDockerBody, readLibpodBody } from './read-create-body.js';
import type { SimulatedContainer } from './simulated-container.js';

const NEVER = '0001-01-01T00:00:00Z';

export function answerList(exchange: EngineExchange): void {
  const all = isTrue(exchange.query, 'all');
  const listed = exchange.engine.containers.filter(({ running }) => all || running);
  sendJson(
    exchange,
    200,
    listed.map((container) => ({
      Id: container.id,
      Names: [`/${container.name}`],
      Image: container.wish.image,
      ImageID: container.imageId,
      Created: Math.floor(container.createdAtMs / 1000),
      Labels: container.wish.labels,
      State: container.state,
      Status: container.state,
    })),
  );
}

export function answerInspect(exchange: EngineExchange): void {
  const container = exchange.engine.get(exchange.caught[0] ?? '');
  sendJson(exchange, 200, described(container));
}

function described(container: SimulatedContainer): object {
  const { wish } = container;
  const ports = Object.fromEntries(
    wish.ports.map(({ hostAddress, hostPort, containerPort }) => [
      `${containerPort}/tcp`,
      [{ HostIp: hostAddress, HostPort: String(hostPort) }],
    ]),
  );
  return {
    Id: container.id,
    Name: `/${container.name}`,
    Created: new Date(container.createdAtMs).toISOString(),
    Path: 'vllm',
    Args: ['serve', ...wish.argv],
    Image: container.imageId,
    State: {
      Status: container.state,
      Running: container.running,
      Paused: container.state === 'paused',
      OOMKilled: container.oomKilled,
      ExitCode: container.exitCode,
      Error: '',
      StartedAt: timeOf(container.startedAtMs),
      FinishedAt: timeOf(container.finishedAtMs),
    },
    Config: { Image: wish.image, Labels: wish.labels, Env: wish.environment, Cmd: wish.argv, Tty: wish.tty },
    HostConfig: {
      NetworkMode: 'bridge',
      Privileged: false,
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      ...wish.hostConfig,
      PortBindings: ports,
    },
    NetworkSettings: { Ports: container.running ? ports : {} },
    Mounts: wish.volumes.map(({ volume, path }) => ({
      Type: 'volume',
      Name: volume,
      Source: `/var/lib/docker/volumes/${volume}/_data`,
      Destination: path,
    })),
  };
}

function timeOf(atMs: number | null): string {
  return atMs === null ? NEVER : new Date(atMs).toISOString();
}

export function answerCreate(exchange: EngineExchange): void {
  const { engine, query, request } = exchange;
  const libpod = request.url?.includes('/libpod/') === true;
  if (libpod && !engine.podman) throw new EngineRefusal(404, 'page not found');
  const body = readJson(exchange);
  const wish = libpod
    ? readLibpodBody(body)
    : readDockerBody(query.get('name') ?? '', body, engine.deafToGpus);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(wish.name)) {
    throw new EngineRefusal(
      400,
      `Invalid container name (${wish.name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  sendJson(exchange, 201, { Id: engine.create(wish).id, Warnings: [] });
}

export async function answerStart(exchange: EngineExchange): Promise<void> {
  const container = exchange.engine.get(exchange.caught[0] ?? '');
  if (container.running) return sendNothing(exchange, 304);
  await exchange.engine.start(container);
  sendNothing(exchange, 204);
}

export async function answerStop(exchange: EngineExchange): Promise<void> {
  const container = exchange.engine.get(exchange.caught[0] ?? '');
  if (!container.running) return sendNothing(exchange, 304);
  await exchange.engine.stop(container, Number(exchange.query.get('t') ?? 10));
  sendNothing(exchange, 204);
}

export async function answerKill(exchange: EngineExchange): Promise<void> {
  await exchange.engine.kill(exchange.engine.get(exchange.caught[0] ?? ''));
  sendNothing(exchange, 204);
}

export function answerPause(exchange: EngineExchange): void {
  const container = exchange.engine.get(exchange.caught[0] ?? '');
  if (container.state !== 'running') throw new EngineRefusal(409, `Container ${container.id} is not running`);
  exchange.engine.pause(container);
  sendNothing(exchange, 204);
}

export function answerUnpause(exchange: EngineExchange): void {
  const container = exchange.engine.get(exchange.caught[0] ?? '');
  if (container.state !== 'paused') throw new EngineRefusal(409, `Container ${container.id} is not paused`);
  exchange.engine.unpause(container);
  sendNothing(exchange, 204);
}

export async function answerRemove(exchange: EngineExchange): Promise<void> {
  const { engine, query, caught } = exchange;
  const container = engine.get(caught[0] ?? '');
  if (container.running && !isTrue(query, 'force')) {
    throw new EngineRefusal(409, `cannot remove container "/${container.name}": container is running`);
  }
  await engine.remove(container);
  sendNothing(exchange, 204);
}
