import { type Clock, countOf } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { openContainerEngine } from '../containers/open-container-engine.js';

const LOOK_MS = 10_000;

/** Containers and volumes that the agent made: they hold models that took hours to fetch, and are not ours to throw away. */
export async function engineLeftovers(
  platform: NodeJS.Platform,
  clock: Clock,
  log: Logger,
): Promise<readonly string[]> {
  const engine = openContainerEngine({ platform, clock, log });
  try {
    const signal = AbortSignal.timeout(LOOK_MS);
    const probe = await engine.probe(signal);
    if (!probe.reachable) return [];
    const tool = probe.info.flavour;
    const containers = (await engine.list(signal)).filter(
      ({ labels }) => 'io.ai-fabric.deployment' in labels,
    );
    const volumes = (await engine.listVolumes(signal)).filter(({ name }) => name.startsWith('ai-fabric-'));
    const names = (found: readonly { readonly name: string }[]): string =>
      found.map(({ name }) => name).join(' ');
    return [
      ...(containers.length === 0
        ? []
        : [`${countOf(containers.length, 'container')}, stopped: ${tool} rm ${names(containers)}`]),
      ...(volumes.length === 0
        ? []
        : [`${countOf(volumes.length, 'volume')} with models: ${tool} volume rm ${names(volumes)}`]),
    ];
  } catch (error) {
    log.debug({ error: String(error) }, 'uninstall: the container engine was not looked at');
    return [];
  } finally {
    await engine.close();
  }
}
