import type { ContainerEngineInfo, ContainerSpec } from '../container-engine.js';
import { qualifyImage } from './qualify-image.js';
import { isOlder } from './read-engine-info.js';

/** A request that creates a container. */
export interface CreateCall {
  /** Below the API's version, unless it is `whole`. */
  readonly path: string;
  readonly whole: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Podman's libpod API, which is older than what it is asked for here. */
const LIBPOD = '/v4.0.0/libpod';
/** Before it, Podman's Docker API takes a wish for a GPU and forgets it without a word. */
const PODMAN_WITH_CDI_IN_COMPAT = '5.4';

/** The create call of this engine, which gives a GPU in the way that this engine and version understands. */
export function buildCreateCall(spec: ContainerSpec, engine: ContainerEngineInfo): CreateCall {
  if (engine.flavour === 'podman' && isOlder(engine.version, PODMAN_WITH_CDI_IN_COMPAT))
    return libpodCall(spec);
  return dockerCall(spec, engine);
}

/** The call that kills and removes a container. In its Docker API Podman first waits ten seconds for its end. */
export function buildRemoveCall(
  segment: string,
  { flavour }: ContainerEngineInfo,
): { readonly path: string; readonly whole: boolean } {
  return flavour === 'podman'
    ? { path: `${LIBPOD}/containers/${segment}?force=true&volumes=true&timeout=0`, whole: true }
    : { path: `/containers/${segment}?force=true&v=true`, whole: false };
}

function dockerCall(spec: ContainerSpec, engine: ContainerEngineInfo): CreateCall {
  const ports = spec.publish.map(({ containerPort, hostAddress, hostPort }) => [
    `${containerPort}/tcp`,
    [{ HostIp: hostAddress, HostPort: String(hostPort) }],
  ]);
  const gpus = uuidsOf(spec);
  return {
    path: `/containers/create?name=${encodeURIComponent(spec.name)}`,
    whole: false,
    body: {
      Image: qualifyImage(spec.image),
      Cmd: [...spec.command],
      Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
      Labels: spec.labels,
      ExposedPorts: Object.fromEntries(ports.map(([port]) => [port, {}])),
      HostConfig: {
        PortBindings: Object.fromEntries(ports),
        Mounts: spec.volumes.map(({ volume, path }) => ({ Type: 'volume', Source: volume, Target: path })),
        // The agent alone decides what is started again.
        RestartPolicy: { Name: 'no' },
        ShmSize: spec.shmBytes,
        ...(spec.memoryLimitBytes === null ? {} : { Memory: spec.memoryLimitBytes }),
        ...(spec.securityLabelDisable ? { SecurityOpt: ['label=disable'] } : {}),
        ...(gpus.length === 0 ? {} : { DeviceRequests: [deviceRequest(gpus, engine)] }),
      },
    },
  };
}

function deviceRequest(
  uuids: readonly string[],
  engine: ContainerEngineInfo,
): Readonly<Record<string, unknown>> {
  if (engine.flavour === 'podman') return { Driver: 'cdi', DeviceIDs: uuids.map(cdiName) };
  const gpu = { Driver: '', Capabilities: [['gpu']] };
  // WSL has no card by UUID: all or none. Which one an engine sees first is then not ours to choose.
  return engine.desktop ? { ...gpu, Count: -1 } : { ...gpu, DeviceIDs: [...uuids] };
}

function libpodCall(spec: ContainerSpec): CreateCall {
  const gpus = uuidsOf(spec);
  return {
    path: `${LIBPOD}/containers/create`,
    whole: true,
    body: {
      name: spec.name,
      image: qualifyImage(spec.image),
      command: [...spec.command],
      env: spec.environment,
      labels: spec.labels,
      portmappings: spec.publish.map(({ containerPort, hostAddress, hostPort }) => ({
        host_ip: hostAddress,
        host_port: hostPort,
        container_port: containerPort,
        protocol: 'tcp',
      })),
      volumes: spec.volumes.map(({ volume, path }) => ({ Name: volume, Dest: path })),
      restart_policy: 'no',
      shm_size: spec.shmBytes,
      ...(spec.memoryLimitBytes === null
        ? {}
        : { resource_limits: { memory: { limit: spec.memoryLimitBytes } } }),
      ...(spec.securityLabelDisable ? { selinux_opts: ['disable'] } : {}),
      ...(gpus.length === 0 ? {} : { devices: gpus.map((uuid) => ({ path: cdiName(uuid) })) }),
    },
  };
}

/** The name of a card in a CDI spec. */
function cdiName(uuid: string): string {
  return `nvidia.com/gpu=${uuid}`;
}

function uuidsOf(spec: ContainerSpec): readonly string[] {
  return spec.gpus === 'none' ? [] : spec.gpus.uuids;
}
