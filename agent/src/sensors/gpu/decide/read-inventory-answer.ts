import { type GpuInventory, gpuInventorySchema } from '@ai-fabric/shared';
import { z } from 'zod';

const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), gpus: z.array(gpuInventorySchema).max(32), skipped: z.int().min(0) }),
  z.object({ ok: z.literal(false), exitCode: z.int().nullable(), output: z.string() }),
]);

/** What the inventory child prints: one line of JSON. */
export type InventoryAnswer =
  | { readonly ok: true; readonly gpus: GpuInventory[]; readonly skipped: number }
  | { readonly ok: false; readonly exitCode: number | null; readonly output: string };

/** @returns `null` when the child said anything else */
export function readInventoryAnswer(text: string): InventoryAnswer | null {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // Not JSON.
  }
}
