import { z } from 'zod';
import type {
  ContainerDetails,
  ContainerMount,
  ContainerState,
  ContainerSummary,
  PublishedPort,
} from '../container-engine.js';
import { maskSecrets } from './mask-secrets.js';

const labelsSchema = z
  .record(z.string(), z.string())
  .nullish()
  .transform((labels) => labels ?? {});
const textsSchema = z
  .union([z.array(z.string()), z.string().transform((one) => [one])])
  .nullish()
  .transform((texts) => texts ?? []);

const summarySchema = z.object({
  Id: z.string().min(1),
  Names: z.array(z.string()).nullish(),
  Image: z.string().catch(''),
  Labels: labelsSchema,
  State: z.string().catch(''),
  Created: z.number().catch(0),
});

const bindingsSchema = z
  .record(z.string(), z.array(z.object({ HostIp: z.string().catch(''), HostPort: z.string() })).nullish())
  .nullish()
  .catch(null);

const detailsSchema = z.object({
  Id: z.string().min(1),
  Name: z.string().catch(''),
  Image: z.string().catch(''),
  Created: z.string().catch(''),
  Path: z.string().catch(''),
  Args: textsSchema,
  State: z.object({
    Status: z.string().catch(''),
    ExitCode: z.number().int().catch(0),
    OOMKilled: z.boolean().catch(false),
    Error: z.string().catch(''),
    StartedAt: z.string().catch(''),
    FinishedAt: z.string().catch(''),
  }),
  Config: z.object({ Image: z.string().catch(''), Labels: labelsSchema, Env: textsSchema }),
  HostConfig: z.object({
    PortBindings: bindingsSchema,
    RestartPolicy: z.object({ Name: z.string() }).nullish().catch(null),
    NetworkMode: z.string().catch(''),
    Privileged: z.boolean().catch(false),
    Devices: z
      .array(z.object({ PathOnHost: z.string().catch('') }))
      .nullish()
      .catch(null),
    DeviceRequests: z
      .array(z.object({ Count: z.number().catch(0), DeviceIDs: textsSchema }))
      .nullish()
      .catch(null),
  }),
  NetworkSettings: z.object({ Ports: bindingsSchema }).nullish().catch(null),
  Mounts: z
    .array(
      z.object({
        Type: z.string().catch(''),
        Name: z.string().optional(),
        Source: z.string().catch(''),
        Destination: z.string(),
      }),
    )
    .nullish()
    .catch(null),
});

/** One element of `GET /containers/json`. @returns `null` for what is none */
export function readSummary(element: unknown): ContainerSummary | null {
  const read = summarySchema.safeParse(element);
  if (!read.success) return null;
  const { Id, Names, Image, Labels, State, Created } = read.data;
  return {
    id: Id,
    name: bareName(Names?.[0] ?? ''),
    labels: Labels,
    state: readState(State),
    image: Image,
    createdAtMs: Created * 1000,
  };
}

/** The answer of `GET /containers/{id}/json`. @returns `null` for what is none */
export function readDetails(answer: unknown): ContainerDetails | null {
  const read = detailsSchema.safeParse(answer);
  if (!read.success) return null;
  const { Id, Name, Image, Created, Path, Args, State, Config, HostConfig, NetworkSettings, Mounts } =
    read.data;
  const state = readState(State.Status);
  const startedAtMs = readTime(State.StartedAt);
  const runs = state === 'running' || state === 'paused' || state === 'restarting';
  return {
    id: Id,
    name: bareName(Name),
    labels: Config.Labels,
    state,
    image: Config.Image,
    createdAtMs: readTime(Created) ?? 0,
    imageId: Image,
    exitCode: runs || startedAtMs === null ? null : State.ExitCode,
    oomKilled: State.OOMKilled,
    stateError: State.Error.slice(0, 600),
    startedAtMs,
    finishedAtMs: readTime(State.FinishedAt),
    // What is bound holds; a container that does not run has but its wish.
    ports: readPorts({ ...HostConfig.PortBindings, ...NetworkSettings?.Ports }),
    command: maskSecrets(Path === '' ? Args : [Path, ...Args]),
    environmentNames: Config.Env.map((entry) => entry.split('=', 1)[0] ?? ''),
    mounts: (Mounts ?? []).map(readMount),
    restartPolicy: HostConfig.RestartPolicy?.Name || 'no',
    networkMode: HostConfig.NetworkMode,
    privileged: HostConfig.Privileged,
    gpus: [
      ...(HostConfig.DeviceRequests ?? []).flatMap(({ Count, DeviceIDs }) =>
        Count === -1 ? ['all'] : DeviceIDs,
      ),
      ...(HostConfig.Devices ?? []).map(({ PathOnHost }) => PathOnHost).filter((path) => /nvidia/.test(path)),
    ],
  };
}

const STATES: Readonly<Record<string, ContainerState>> = {
  created: 'created',
  // Podman's: created, and made ready to run.
  configured: 'created',
  initialized: 'created',
  running: 'running',
  paused: 'paused',
  restarting: 'restarting',
  removing: 'removing',
  stopping: 'running',
  stopped: 'exited',
  exited: 'exited',
  dead: 'dead',
};

function readState(state: string): ContainerState {
  return STATES[state.toLowerCase()] ?? 'unknown';
}

function bareName(name: string): string {
  return name.replace(/^\//, '');
}

/** The year 1 stands for never. */
function readTime(text: string): number | null {
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) || atMs <= 0 ? null : atMs;
}

function readPorts(bindings: z.infer<typeof bindingsSchema>): PublishedPort[] {
  return Object.entries(bindings ?? {}).flatMap(([port, bound]) => {
    const containerPort = Number(/^(\d+)\/tcp$/.exec(port)?.[1]);
    if (Number.isNaN(containerPort)) return [];
    return (bound ?? []).flatMap(({ HostIp, HostPort }) => {
      const hostPort = Number(HostPort);
      return hostPort > 0 ? [{ hostAddress: HostIp || '0.0.0.0', hostPort, containerPort }] : [];
    });
  });
}

function readMount(mount: {
  Type: string;
  Name?: string | undefined;
  Source: string;
  Destination: string;
}): ContainerMount {
  const { Type, Name, Source, Destination } = mount;
  if (Type === 'volume') return { kind: 'volume', source: Name ?? Source, path: Destination };
  return { kind: Type === 'bind' ? 'bind' : 'other', source: Source, path: Destination };
}
