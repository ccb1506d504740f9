import { z } from 'zod';

/** What an agent is there for, as it finds it. */
export const seenSchema = z.object({
  /** How many; `null`: they were not asked for yet. */
  cards: z.int().min(0).nullable(),
  /** Whether the container engine answers; `null`: it was not looked for yet. */
  engine: z.boolean().nullable(),
});
export type Seen = z.infer<typeof seenSchema>;

/** What a running agent says of itself to whoever replaced it: `health.json` in its state directory. */
export const healthSchema = z.object({
  version: z.string().max(40),
  pid: z.int().min(1),
  /** Wall clock; `null`: there is no link. */
  linkedSinceMs: z.number().nullable(),
  /** Absent: this version does not tell. */
  seen: seenSchema.optional(),
});
export type Health = z.infer<typeof healthSchema>;

export const HEALTH_FILE = 'health.json';

/** @returns `null` where it is none */
export function parseHealth(text: string): Health | null {
  try {
    return healthSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
