import { z } from 'zod';
import type { CreateWish } from './simulated-container.js';

const labels = z.record(z.string(), z.string()).default({});

const dockerSchema = z.object({
  Image: z.string(),
  Entrypoint: z.array(z.string()).default([]),
  Cmd: z.array(z.string()).default([]),
  Env: z.array(z.string()).default([]),
  Labels: labels,
  Tty: z.boolean().default(false),
  HostConfig: z
    .looseObject({
      PortBindings: z
        .record(z.string(), z.array(z.object({ HostIp: z.string().default(''), HostPort: z.string() })))
        .default({}),
      Mounts: z.array(z.object({ Source: z.string(), Target: z.string() })).default([]),
      DeviceRequests: z
        .array(
          z.object({
            Driver: z.string().default(''),
            Count: z.number().default(0),
            DeviceIDs: z.array(z.string()).default([]),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

const libpodSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  entrypoint: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  labels,
  portmappings: z
    .array(z.object({ host_ip: z.string().default(''), host_port: z.number(), container_port: z.number() }))
    .default([]),
  volumes: z.array(z.object({ Name: z.string(), Dest: z.string() })).default([]),
  devices: z.array(z.object({ path: z.string() })).default([]),
});

/**
 * The body of Docker's create call.
 *
 * @param deafToGpus as Podman before 5.4: a wish for a GPU is forgotten without a word
 * @throws ZodError
 */
export function readDockerBody(name: string, body: unknown, deafToGpus: boolean): CreateWish {
  const { Image, Entrypoint, Cmd, Env, Labels, Tty, HostConfig } = dockerSchema.parse(body);
  const { PortBindings, Mounts, DeviceRequests } = HostConfig;
  return {
    name,
    image: Image,
    entrypoint: Entrypoint,
    argv: Cmd,
    environment: Env,
    labels: Labels,
    ports: Object.entries(PortBindings).flatMap(([port, bindings]) =>
      bindings.map(({ HostIp, HostPort }) => ({
        hostAddress: HostIp || '0.0.0.0',
        hostPort: Number(HostPort),
        containerPort: Number.parseInt(port, 10),
      })),
    ),
    volumes: Mounts.map(({ Source, Target }) => ({ volume: Source, path: Target })),
    gpus: deafToGpus
      ? []
      : DeviceRequests.flatMap(({ Count, DeviceIDs }) => (Count === -1 ? ['all'] : DeviceIDs.map(cardOf))),
    tty: Tty,
    hostConfig: HostConfig,
  };
}

/** The body of libpod's. @throws ZodError */
export function readLibpodBody(body: unknown): CreateWish {
  const wish = libpodSchema.parse(body);
  return {
    name: wish.name,
    image: wish.image,
    entrypoint: wish.entrypoint,
    argv: wish.command,
    environment: Object.entries(wish.env).map(([name, value]) => `${name}=${value}`),
    labels: wish.labels,
    ports: wish.portmappings.map((mapping) => ({
      hostAddress: mapping.host_ip || '0.0.0.0',
      hostPort: mapping.host_port,
      containerPort: mapping.container_port,
    })),
    volumes: wish.volumes.map(({ Name, Dest }) => ({ volume: Name, path: Dest })),
    gpus: wish.devices.map(({ path }) => cardOf(path)),
    tty: false,
    // Podman tells nothing of a CDI device in its Docker API.
    hostConfig: {},
  };
}

function cardOf(device: string): string {
  return device.replace(/^nvidia\.com\/gpu=/, '');
}
