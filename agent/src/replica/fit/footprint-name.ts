import { createHash } from 'node:crypto';
import type { VllmReplica } from '@ai-fabric/shared';
import { applyFallbacks } from './decide/apply-fallbacks.js';

/**
 * What a learned footprint belongs to: the model, and a digest of all that changes what it takes of a card.
 *
 * @param rung fallbacks in force
 */
export function footprintName(desired: VllmReplica, rung: number): string {
  const { model, revision, image, task, quantization, parkable, ...sizes } = applyFallbacks(desired, rung);
  const { contextTokens, maxConcurrent, gpuMemoryRatio, extraArguments, environment } = sizes;
  // Where the hub is and who asks it takes nothing of a card.
  const variables = Object.entries(environment)
    .filter(([name]) => !name.startsWith('HF_'))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const settings = [
    ...[revision, image, task, quantization, parkable],
    ...[contextTokens, maxConcurrent, gpuMemoryRatio, extraArguments, variables],
  ];
  return `${model} ${createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16)}`;
}
