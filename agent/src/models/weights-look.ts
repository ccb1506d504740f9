import type { Clock, VllmReplica } from '@ai-fabric/shared';
import type { HelperContainers } from '../containers/helper-containers.js';
import type { KeptTools } from '../replica/container/kept-tools.js';
import { readWeightsSeen, type WeightsSeen } from './decide/read-weights-line.js';
import { LOOK_SCRIPT } from './model-scripts.js';
import { hubEnvironment } from './open-model-cache.js';

type Tools = Pick<KeptTools, 'recipe' | 'hostId' | 'log'> & {
  readonly helpers: Pick<HelperContainers, 'run'>;
  readonly clock: Clock;
};

/** An engine that is slow with a container, a cache with thousands of files, and a hub that takes its time. */
const DEADLINE_MS = 45_000;

/**
 * Looks into the cache for one model, from within the image that is to load it, which must be here. One look at a time.
 * Never rejects: an image without Python, or an engine that has trouble, is as good as not knowing.
 */
export function weightsLook(
  tools: Tools,
): (desired: VllmReplica, signal: AbortSignal) => Promise<WeightsSeen | null> {
  let before: Promise<unknown> = Promise.resolve();
  return (desired, signal) => {
    const look = before.then(() => (signal.aborted ? null : lookOnce(tools, desired, signal)));
    before = look;
    return look;
  };
}

async function lookOnce(
  tools: Tools,
  desired: VllmReplica,
  signal: AbortSignal,
): Promise<WeightsSeen | null> {
  const { helpers, log, clock } = tools;
  const { model, revision, image } = desired;
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  signal.addEventListener('abort', forward, { once: true });
  const timer = clock.after(DEADLINE_MS, forward);
  try {
    const environment = await hubEnvironment(tools, desired);
    const lines: string[] = [];
    const helper = { kind: 'look', image, script: LOOK_SCRIPT, args: [model, revision ?? ''], environment };
    for await (const line of helpers.run(helper, stop.signal)) lines.push(line);
    return readWeightsSeen(lines);
  } catch (error) {
    if (!signal.aborted) log.debug({ model, error: String(error) }, 'models: the cache was not looked into');
    return null;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', forward);
  }
}
