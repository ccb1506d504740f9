import { z } from 'zod';
import type { ContainerEngineInfo, ContainerEngineProbe } from '../container-engine.js';

const text = z.string().max(200);

const versionSchema = z.object({
  Version: text.optional(),
  ApiVersion: text,
  MinAPIVersion: text.optional(),
  Components: z
    .array(z.object({ Name: text, Version: text.optional() }))
    .nullish()
    .catch(null),
});

const infoSchema = z.object({
  OperatingSystem: text.catch(''),
  Rootless: z.boolean().optional().catch(undefined),
  SecurityOptions: z.array(z.string()).nullish().catch(null),
  ServerVersion: text.catch(''),
  /** Podman fills it in too. */
  DockerRootDir: z.string().max(1_000).startsWith('/').nullish().catch(null),
});

/** The API versions that we speak: from GPUs in the create call on, to the newest that this was written against. */
const OLDEST_API = '1.40';
const NEWEST_API = '1.51';
const OLDEST_PODMAN = '4.0';

/** What `GET /version` and `GET /info` say. @returns `null` when it is no container engine that answers */
export function readEngineInfo(
  version: unknown,
  info: unknown,
  endpoint: string,
): ContainerEngineProbe | null {
  const read = versionSchema.safeParse(version);
  if (!read.success) return null;
  const more = infoSchema.parse(typeof info === 'object' && info !== null ? info : {});
  const podman = read.data.Components?.find(({ Name }) => /podman/i.test(Name));
  const release = podman?.Version ?? read.data.Version ?? more.ServerVersion;
  const api = chooseApiVersion(read.data.ApiVersion, read.data.MinAPIVersion);
  if (api === null || (podman && isOlder(release, OLDEST_PODMAN))) {
    const name = podman ? 'Podman' : 'Docker';
    return {
      reachable: false,
      code: 'engine_too_old',
      detail: `${name} ${release} (API ${read.data.ApiVersion}) at ${endpoint} is not one that the agent can speak to.`,
      fix: `It needs Podman ${OLDEST_PODMAN} or later, or Docker with API ${OLDEST_API} (19.03) or later: upgrade it.`,
    };
  }
  const found: ContainerEngineInfo = {
    flavour: podman ? 'podman' : 'docker',
    version: release,
    apiVersion: api,
    rootless: more.Rootless ?? more.SecurityOptions?.some((option) => /rootless/.test(option)) ?? false,
    desktop: /docker desktop/i.test(more.OperatingSystem),
    storagePath: more.DockerRootDir ?? null,
    endpoint,
  };
  return { reachable: true, info: found };
}

/** @returns `null` where the two sides have none in common */
function chooseApiVersion(offered: string, least: string | undefined): string | null {
  if (!/^\d+\.\d+$/.test(offered) || isOlder(offered, OLDEST_API)) return null;
  if (!isOlder(NEWEST_API, offered)) return offered;
  return least !== undefined && isOlder(NEWEST_API, least) ? null : NEWEST_API;
}

/** Compares versions such as `4.3.1` and `5.4.0-dev` by their numbers; what has none is older than all. */
export function isOlder(version: string, than: string): boolean {
  const [left, right] = [numbers(version), numbers(than)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): number[] {
  const found = /^v?(\d{1,6}(?:\.\d{1,6})*)/.exec(version.trim())?.[1];
  return found === undefined ? [-1] : found.split('.').map(Number);
}
