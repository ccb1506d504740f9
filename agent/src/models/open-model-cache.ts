import type { DesiredReplica, VllmReplica } from '@ai-fabric/shared';
import type { HelperContainers } from '../containers/helper-containers.js';
import type { KeptTools } from '../replica/container/kept-tools.js';
import { ModelCache } from './model-cache.js';

/** Of the environment of a replica, what the hub's library reads: where it is, and who asks. */
const OF_THE_HUB = ['HF_TOKEN', 'HF_ENDPOINT'];

/** The model files of this host, by what is kept on it and what its owner allows. */
export function openModelCache(
  { engine, recipe, memory, hostId }: Pick<KeptTools, 'engine' | 'recipe' | 'memory' | 'hostId'>,
  helpers: Pick<HelperContainers, 'run'>,
  desired: () => readonly DesiredReplica[],
): ModelCache {
  const allowed = () =>
    desired()
      .filter(isVllm)
      .filter((each) => recipe.refusal(each) === null);
  return new ModelCache({
    engine,
    helpers,
    images: () => [...new Set(allowed().map(({ image }) => image))],
    inUse: () =>
      new Set(
        desired()
          .filter(isVllm)
          .map(({ model }) => model),
      ),
    environment: async (model) => {
      const replicas = allowed();
      const asked = replicas.find((each) => each.model === model) ?? replicas[0];
      if (asked === undefined) return {};
      return hubEnvironment({ recipe, hostId }, asked);
    },
    onChange: (model) => memory.forgetWeights(model),
  });
}

/** What of a replica's environment the hub's library reads, its token among it. @throws RecipeError */
export async function hubEnvironment(
  { recipe, hostId }: Pick<KeptTools, 'recipe' | 'hostId'>,
  desired: VllmReplica,
): Promise<Readonly<Record<string, string>>> {
  // Its card is of no matter here, and there may be none yet.
  const plain: VllmReplica = { ...desired, gpu: { select: 'none' } };
  const { environment } = await recipe.build(plain, 0, { hostId, key: '', cards: [], port: 0 });
  return Object.fromEntries(Object.entries(environment).filter(([name]) => OF_THE_HUB.includes(name)));
}

function isVllm(desired: DesiredReplica): desired is VllmReplica {
  return desired.engine === 'vllm';
}
