import { releaseVersionSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { seenSchema } from './health.js';

/** A version that was placed. */
const placedSchema = z.object({
  version: releaseVersionSchema,
  /** Absolute: where its program lies. */
  folder: z.string().min(1).max(1_000),
});

/**
 * How far a replacement is. `staged`: the newer version is placed and proven; `swapped`: it is the current one; `proving`: it
 * was started, and must link in time; `rolling_back`: the one before is to run again. The others are ends.
 */
export const upgradeStageSchema = z.enum([
  'staged',
  'swapped',
  'proving',
  'rolling_back',
  'done',
  'rolled_back',
  'failed',
]);
export type UpgradeStage = z.infer<typeof upgradeStageSchema>;

/**
 * What is being replaced by what. It is written where the agent cannot write: by it a version becomes the one that runs as
 * root's helper, and a forged one would be a way to root.
 */
export const upgradeRecordSchema = z.object({
  format: z.literal(1),
  stage: upgradeStageSchema,
  from: placedSchema,
  to: placedSchema,
  manifestSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** As the version that is replaced found it; absent: it did not tell. */
  seenBefore: seenSchema.optional(),
  /** By the release key of the program that took it in; a development build takes what is not signed. */
  signed: z.boolean(),
  /** Why it came to another end than `done`. */
  reason: z.string().max(500).nullable(),
  /** How often it was begun to be proven: a machine that goes down each time must not be kept so. */
  proofs: z.int().min(0).max(1_000),
  /** Wall clock. */
  changedAtMs: z.number(),
});
export type UpgradeRecord = z.infer<typeof upgradeRecordSchema>;

/** Nothing more is done about it. */
export function isOver({ stage }: Pick<UpgradeRecord, 'stage'>): boolean {
  return stage === 'done' || stage === 'rolled_back' || stage === 'failed';
}

/** @returns `null` where it is none */
export function parseUpgradeRecord(text: string): UpgradeRecord | null {
  try {
    return upgradeRecordSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
