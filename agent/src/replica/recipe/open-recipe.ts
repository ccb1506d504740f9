import { createHash } from 'node:crypto';
import {
  type AgentPolicy,
  type GpuInventory,
  type GpuReading,
  judgePolicy,
  type VllmReplica,
} from '@ai-fabric/shared';
import { trouble } from '../container/decide/container-trouble.js';
import { type ContainerParts, RecipeError, type ReplicaRecipe } from '../container/replica-recipe.js';
import { applyFallbacks, argumentValue, cardCountOf } from '../fit/decide/apply-fallbacks.js';
import type { FitCard } from '../fit/decide/card-memory.js';
import { estimateModel } from '../fit/decide/estimate-model.js';
import { judgeFit, memoryRatio } from '../fit/decide/judge-fit.js';
import { footprintName } from '../fit/footprint-name.js';
import { buildContainerSpec, limitsText, specText } from './decide/build-container-spec.js';
import { chooseOpenAddress } from './decide/choose-open-address.js';
import { computeCapabilityOf } from './decide/container-arguments.js';
import { readEnvironment } from './read-environment.js';

/** What of the host a recipe must know, as it is now. */
export interface RecipeHost {
  cards(): readonly GpuInventory[];
  reading(card: string): Pick<GpuReading, 'vramUsedBytes' | 'vramTotalBytes'> | null;
  /** One of our replicas loads on it right now. */
  isLoading(card: string): boolean;
  /** Learned footprints of our replicas that run on it. */
  replicasBytes(card: string): number;
  /** Windows' driver model, under which no program's use of a card is told. */
  readonly wddm: boolean;
  readonly securityLabels: boolean;
  /** The address of this host that its link leaves from, or left from last; `null`: it never had one. */
  linkAddress(): string | null;
  /** The agent's own variables, of which the policy lists those that may be passed on. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** What was learnt of a model on this host. */
export interface Footprints {
  /** @param name a `footprintName` */
  footprint(card: string, name: string): number | null;
  /** Of its files in the cache; `null`: nobody looked. */
  weights(
    model: string,
    revision: string | null,
  ): { readonly complete: boolean; readonly weightBytes: number | null } | null;
}

/** How declarations become containers on this host, under its owner's policy. */
export function openRecipe(policy: AgentPolicy, host: RecipeHost, memory: Footprints): ReplicaRecipe {
  const openAddress = (reach: VllmReplica['reach']): string =>
    chooseOpenAddress(reach, policy.directAddress, host.linkAddress());
  const limits = limitsText(policy);
  const suffix = limits === '' ? '' : `.${digest(limits).slice(0, 8)}`;
  const hash = (desired: VllmReplica, rung: number): string =>
    `${digest(specText(applyFallbacks(desired, rung), openAddress(desired.reach))).slice(0, 32)}${suffix}`;
  const cardOf = (card: GpuInventory, name: string): FitCard => fitCard(card, name, host, memory);
  return {
    specHash: hash,
    refusal: (desired) => {
      const verdict = judgePolicy(desired, policy);
      return verdict.allowed ? null : { rule: verdict.rule, detail: verdict.detail };
    },
    fit: (desired, rung) => {
      const { model, task, gpu, quantization, contextTokens, maxConcurrent, gpuMemoryRatio, extraArguments } =
        applyFallbacks(desired, rung);
      const kvCacheType = argumentValue(extraArguments, '--kv-cache-dtype');
      const guess = estimateModel({ model, quantization, kvCacheType });
      const weightsBytes = memory.weights(model, desired.revision)?.weightBytes ?? guess.weightsBytes;
      const { fit, cards } = judgeFit(
        {
          model,
          task,
          gpu,
          contextTokens,
          maxConcurrent,
          gpuMemoryRatio,
          cardCount: cardCountOf(desired),
          estimate: { ...guess, weightsBytes },
        },
        host.cards().map((card) => cardOf(card, footprintName(desired, rung))),
      );
      return Promise.resolve({ fit, cards });
    },
    build: async (desired, rung, parts) => {
      const stepped = applyFallbacks(desired, rung);
      const given = cardsOf(stepped, parts, host);
      const ratios = given.map((card) =>
        memoryRatio(stepped.gpuMemoryRatio, cardOf(card, footprintName(desired, rung))),
      );
      const facts = {
        ...parts,
        specHash: hash(desired, rung),
        openAddress: openAddress(desired.reach),
        environment: await readEnvironment(stepped.environment, host.variables),
        // Where nobody knows, the engine asks the hub.
        cacheIsComplete: memory.weights(desired.model, desired.revision)?.complete ?? false,
        securityLabels: host.securityLabels,
        computeCapability: least(given.map(({ name }) => computeCapabilityOf(name))),
        gpuMemoryRatio: least(ratios),
      };
      return buildContainerSpec(stepped, facts, policy);
    },
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** @throws RecipeError where it is to have a card and has none: without one it would run, slowly, on nothing */
function cardsOf(desired: VllmReplica, { cards }: ContainerParts, host: RecipeHost): readonly GpuInventory[] {
  if (desired.gpu.select === 'none') return [];
  const known = host.cards().filter(({ uuid }) => cards.includes(uuid));
  if (known.length > 0 && known.length === cards.length) return known;
  throw new RecipeError(trouble('vram_insufficient', 'No card of this host was found for it.'));
}

function fitCard(
  { uuid, index, vramTotalBytes }: GpuInventory,
  name: string,
  host: RecipeHost,
  memory: Footprints,
): FitCard {
  const reading = host.reading(uuid);
  return {
    ...{ uuid, index, wddm: host.wddm },
    totalBytes: vramTotalBytes ?? reading?.vramTotalBytes ?? null,
    usedBytes: reading?.vramUsedBytes ?? null,
    // It is asked while its own container holds nothing: before the first one, or after the last was stopped.
    ownBytes: 0,
    otherReplicasBytes: host.replicasBytes(uuid),
    loading: host.isLoading(uuid),
    footprintBytes: memory.footprint(uuid, name),
  };
}

/** Of what is known. */
function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}
