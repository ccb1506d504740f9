import type { Logger } from 'pino';
import type { ContainerEngine, ContainerEngineFlavour } from '../containers/container-engine.js';
import { type EngineContents, tellEngineLeftovers, tellOwnStorage } from './decide/tell-engine-leftovers.js';

const LOOK_MS = 10_000;

type Engine = Pick<ContainerEngine, 'probe' | 'list' | 'listVolumes' | 'close'>;

/**
 * Containers and volumes that the agent made: they hold models that took hours to fetch, and are not ours to throw away.
 *
 * @param engine closed afterwards
 */
export async function engineLeftovers(engine: Engine, log: Logger): Promise<readonly string[]> {
  const found = await lookInto(engine, log);
  return found === null ? [] : tellEngineLeftovers(found.flavour, found);
}

/**
 * The same of an engine that is the agent's own and ends with it: nobody can ask it afterwards.
 *
 * @param engine closed afterwards
 * @param storage the folder that holds all of it
 */
export async function ownEngineLeftovers(
  engine: Engine,
  storage: string,
  log: Logger,
): Promise<readonly string[]> {
  return [tellOwnStorage(storage, await lookInto(engine, log))];
}

/** @returns `null` where it does not answer in time */
async function lookInto(
  engine: Engine,
  log: Logger,
): Promise<(EngineContents & { readonly flavour: ContainerEngineFlavour }) | null> {
  try {
    const signal = AbortSignal.timeout(LOOK_MS);
    const probe = await engine.probe(signal);
    if (!probe.reachable) return null;
    const { flavour } = probe.info;
    return {
      flavour,
      containers: await engine.list(signal),
      volumes: await engine.listVolumes(signal),
    };
  } catch (error) {
    log.debug({ error: String(error) }, 'uninstall: the container engine was not looked at');
    return null;
  } finally {
    await engine.close();
  }
}
