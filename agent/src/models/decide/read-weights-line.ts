import { z } from 'zod';

const bytes = z.number().int().min(0).nullable();

const weightsSeenSchema = z.object({
  complete: z.boolean(),
  weightBytes: bytes,
  missingBytes: bytes,
  freeBytes: bytes,
});
/**
 * What of one revision of a model is in the cache. `complete`: it loads without the hub. `weightBytes`: of all its
 * weights; `missingBytes`: what is still to be fetched. `null`: neither the cache nor the hub tells.
 */
export type WeightsSeen = z.infer<typeof weightsSeenSchema>;

/** The first line that tells it; a library may chatter before. @returns `null` where none does */
export function readWeightsSeen(lines: readonly string[]): WeightsSeen | null {
  for (const line of lines) {
    const seen = weightsSeenSchema.safeParse(parse(line));
    if (seen.success) return seen.data;
  }
  return null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
