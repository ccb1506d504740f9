import { gibText, type ReplicaGrowth } from '@ai-fabric/shared';

/** What is to be fetched, and where it goes. `null` is unknown; sizes in bytes. */
export interface GrowthFacts {
  /** Of the image's layers, as they are fetched; 0: it is here. */
  readonly downloadBytes: number | null;
  readonly weightsBytes: number | null;
  /** By the model's name alone: shown, and nothing is refused for it. */
  readonly weightsAreGuessed: boolean;
  readonly freeBytes: number | null;
  /** The container engine's disk is a file on a drive of Windows. */
  readonly virtualDisk: boolean;
}

/** Layers of CUDA and PyTorch unpack to two to three times what is fetched. */
const UNPACKED = 2.5;

/**
 * How the disk will grow, and why it cannot: `refusal`, with the numbers, where even the least that is certain does not
 * fit. That is the layers as they are fetched, which leaves room for those that are here already, and weights whose
 * size the hub told.
 */
export function judgeGrowth(facts: GrowthFacts): {
  readonly growth: ReplicaGrowth;
  readonly refusal: string | null;
} {
  const { downloadBytes, weightsBytes, weightsAreGuessed, freeBytes } = facts;
  const imageBytes = downloadBytes === null ? null : Math.round(downloadBytes * UNPACKED);
  const growth = { imageBytes, weightsBytes, freeBytes, detail: describe(facts) };
  const certain = (downloadBytes ?? 0) + (weightsAreGuessed ? 0 : (weightsBytes ?? 0));
  if (freeBytes === null || certain <= freeBytes) return { growth, refusal: null };
  const parts = [
    ...(downloadBytes ? [`${gibText(downloadBytes)} for the image`] : []),
    ...(weightsBytes && !weightsAreGuessed ? [`${gibText(weightsBytes)} for the weights`] : []),
  ];
  const refusal = `It needs at least ${parts.join(' and ')}; where the container engine stores, ${gibText(freeBytes)} are free. Nothing was fetched.`;
  return { growth, refusal };
}

function describe({
  downloadBytes,
  weightsBytes,
  weightsAreGuessed,
  freeBytes,
  virtualDisk,
}: GrowthFacts): string {
  const expected = (downloadBytes ?? 0) * UNPACKED + (weightsBytes ?? 0);
  return [
    describeImage(downloadBytes),
    describeWeights(weightsBytes, weightsAreGuessed),
    ...(freeBytes !== null && expected > freeBytes
      ? [`That may not fit: ${gibText(freeBytes)} are free where the container engine stores.`]
      : []),
    ...(virtualDisk && expected > 0
      ? [
          'It goes into the virtual disk of Docker Desktop (WSL), a file on a drive that grows and does not shrink by itself.',
        ]
      : []),
  ].join(' ');
}

function describeImage(bytes: number | null): string {
  if (bytes === null) return 'The image: its registry does not tell its size.';
  if (bytes === 0) return 'The image is here.';
  return `The image: ${gibText(bytes)} to fetch, some ${gibText(bytes * UNPACKED)} unpacked.`;
}

function describeWeights(bytes: number | null, guessed: boolean): string {
  if (bytes === null) return 'The weights: their size is not known.';
  if (bytes === 0) return 'The weights are whole in the cache.';
  return guessed
    ? `The weights: some ${gibText(bytes)}, by the model’s name, where they are not cached.`
    : `The weights: ${gibText(bytes)} to fetch.`;
}
