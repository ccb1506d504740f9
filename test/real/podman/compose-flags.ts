import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What is not here is not tried by any test: the example may not have it. */
const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }),
  network_mode: z.string(),
  environment: z.record(z.string(), z.string()),
  volumes: z.array(z.string()),
  stop_grace_period: z.string().regex(/^\d+s$/),
  restart: z.string(),
  read_only: z.boolean(),
  tmpfs: z.array(z.string()),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
});
const composeSchema = z.strictObject({
  services: z.strictObject({ 'ai-fabric': serviceSchema }),
  volumes: z.strictObject({ 'ai-fabric': z.null() }),
});

/**
 * The service of a compose file as flags of `podman run`.
 *
 * @param folder that its relative paths are of
 * @throws Error where it has what no flag here stands for
 */
export function composeFlags(file: string, folder: string): readonly string[] {
  const service = composeSchema.parse(parse(readFileSync(file, 'utf8'))).services['ai-fabric'];
  return [
    `--network=${service.network_mode}`,
    ...Object.entries(service.environment).map(([name, value]) => `--env=${name}=${value}`),
    ...service.volumes.map(
      (volume) => `--volume=${volume.startsWith('.') ? resolve(folder, volume) : volume}`,
    ),
    `--stop-timeout=${Number.parseInt(service.stop_grace_period, 10)}`,
    `--restart=${service.restart}`,
    `--read-only=${service.read_only}`,
    ...service.tmpfs.map((path) => `--tmpfs=${path}`),
    ...service.cap_drop.map((capability) => `--cap-drop=${capability}`),
    ...service.security_opt.map((option) => `--security-opt=${option}`),
  ];
}
