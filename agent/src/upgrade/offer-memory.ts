import { join } from 'node:path';
import { releaseVersionSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import type { PrivateFiles } from '../identity/private-files.js';

const offerMemorySchema = z.object({
  format: z.literal(1),
  version: releaseVersionSchema,
  manifestSha256: z.string().regex(/^[0-9a-f]{64}$/),
  phase: z.enum(['offered', 'fetching', 'staged', 'failed']),
  detail: z.string().max(500).nullable(),
  /** How often it was begun to be fetched. */
  attempts: z.int().min(0),
  /** Wall clock, when it was offered or begun last. */
  begunAtMs: z.number(),
});
/** What the control plane offered, and how far it is: kept across restarts of the agent. */
export type OfferMemory = Omit<z.infer<typeof offerMemorySchema>, 'format'>;

const FILE = 'upgrade.json';

/** One that is damaged is none: it is offered again. */
export async function readOfferMemory(directory: string, files: PrivateFiles): Promise<OfferMemory | null> {
  const text = await files.read(join(directory, FILE)).catch(() => null);
  if (text === null) return null;
  try {
    const { format: _, ...memory } = offerMemorySchema.parse(JSON.parse(text));
    return memory;
  } catch {
    return null;
  }
}

/** @param memory `null`: nothing is offered */
export async function writeOfferMemory(
  directory: string,
  memory: OfferMemory | null,
  files: PrivateFiles,
): Promise<void> {
  const text = memory === null ? 'null' : JSON.stringify({ format: 1, ...memory }, null, 2);
  await files.write(join(directory, FILE), `${text}\n`);
}
