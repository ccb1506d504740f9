import type { Logger } from 'pino';
import type { ContainerEngine } from '../containers/container-engine.js';
import { tellEngineLeftovers } from './decide/tell-engine-leftovers.js';

const LOOK_MS = 10_000;

/**
 * Containers and volumes that the agent made: they hold models that took hours to fetch, and are not ours to throw away.
 *
 * @param engine closed afterwards
 */
export async function engineLeftovers(
  engine: Pick<ContainerEngine, 'probe' | 'list' | 'listVolumes' | 'close'>,
  log: Logger,
): Promise<readonly string[]> {
  try {
    const signal = AbortSignal.timeout(LOOK_MS);
    const probe = await engine.probe(signal);
    if (!probe.reachable) return [];
    return tellEngineLeftovers(probe.info.flavour, {
      containers: await engine.list(signal),
      volumes: await engine.listVolumes(signal),
    });
  } catch (error) {
    log.debug({ error: String(error) }, 'uninstall: the container engine was not looked at');
    return [];
  } finally {
    await engine.close();
  }
}
