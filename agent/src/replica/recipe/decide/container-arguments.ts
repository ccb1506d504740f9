import type { AgentPolicy, VllmReplica } from '@ai-fabric/shared';
import { ENGINE_PORT } from '../../container/decide/judge-container.js';
import { argumentValue } from '../../fit/decide/apply-fallbacks.js';

/** What the engine is told beside its declaration. */
export interface EngineFacts {
  /** Of the weakest of its cards, such as 7.5; `null` where it is not known. */
  readonly computeCapability: number | null;
  /** Of each card, what the engine may take; `null`: its own default. */
  readonly gpuMemoryRatio: number | null;
}

/** Ampere is the first with sixteen-bit floats of the wide kind. */
const FIRST_WITH_BFLOAT16 = 8;

/** vLLM's arguments, one per element: nothing of them is ever seen by a shell. */
export function containerArguments(
  desired: VllmReplica,
  facts: EngineFacts,
  policy: Pick<AgentPolicy, 'pickle'>,
): string[] {
  const { revision, quantization, contextTokens, extraArguments } = desired;
  return [
    ...['--model', desired.model],
    ...(revision === null ? [] : ['--revision', revision, '--tokenizer-revision', revision]),
    ...['--served-model-name', desired.servedModel],
    // Inside the container: what of it is reached from outside is up to the published port.
    ...['--host', '0.0.0.0', '--port', String(ENGINE_PORT)],
    ...taskArguments(desired),
    ...(quantization === null ? [] : ['--quantization', quantization]),
    ...(contextTokens === null ? [] : ['--max-model-len', String(contextTokens)]),
    ...['--max-num-seqs', String(desired.maxConcurrent)],
    ...cardArguments(desired, facts),
    ...(sleeps(desired) ? ['--enable-sleep-mode'] : []),
    ...(policy.pickle || argumentValue(extraArguments, '--load-format') !== null
      ? []
      : ['--load-format', 'safetensors']),
    ...extraArguments,
  ];
}

/** Sleep mode opens paths that no key guards: only where nobody but the agent reaches the port. */
export function sleeps({ parkable, reach, gpu }: VllmReplica): boolean {
  return parkable && reach === 'tunnel' && gpu.select !== 'none';
}

function taskArguments({ task }: VllmReplica): string[] {
  return task === 'embeddings' || task === 'rerank' ? ['--runner', 'pooling'] : [];
}

function cardArguments(desired: VllmReplica, facts: EngineFacts): string[] {
  if (desired.gpu.select === 'none') return [];
  const { gpuMemoryRatio, computeCapability } = facts;
  const isOld = computeCapability !== null && computeCapability < FIRST_WITH_BFLOAT16;
  const half = isOld && argumentValue(desired.extraArguments, '--dtype') === null;
  return [
    ...(gpuMemoryRatio === null ? [] : ['--gpu-memory-utilization', String(gpuMemoryRatio)]),
    ...(half ? ['--dtype', 'half'] : []),
  ];
}

/** NVIDIA's compute capability by the name of a card, as far as it matters here. `null`: a card that is not known. */
export function computeCapabilityOf(cardName: string): number | null {
  const name = cardName.toLowerCase();
  const found = GENERATIONS.find(([pattern]) => pattern.test(name));
  return found?.[1] ?? null;
}

/** From developer.nvidia.com/cuda-gpus. */
const GENERATIONS: readonly (readonly [RegExp, number])[] = [
  // Before the others: its numbers are theirs too.
  [/quadro rtx/, 7.5],
  [/rtx 50\d0|rtx pro \d+ blackwell|\bb[123]00\b|\bgb\d+/, 12],
  [/\bh[128]00\b|\bgh200\b/, 9],
  [/rtx 40\d0|rtx \d+ ada|\bl4\b|\bl40s?\b/, 8.9],
  [/rtx 30\d0|rtx a\d+|\ba(2|10|16|30|40)\b/, 8.6],
  [/\ba100\b|\ba800\b/, 8],
  [/rtx 20\d0|gtx 16\d0|titan rtx|\bt4g?\b|\bt\d00\b/, 7.5],
  [/\bv100|titan v\b|quadro gv100/, 7],
  [/gtx 10\d0|titan xp?\b|\bp(4|6|40|100)\b|quadro p\d+/, 6.1],
  [/gtx 9\d0|\bm(4|6|10|40|60)\b/, 5.2],
];
