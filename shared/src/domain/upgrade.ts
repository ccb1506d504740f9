import { z } from 'zod';

/**
 * How far an agent's upgrade is. `offered`: its owner is to say yes; `fetching` and `staged`: nothing is replaced yet;
 * `swapped`: the newer one is in its place; `proving`: it runs, and must link in time; `done`; `rolled_back`: the one before
 * runs again; `failed`: nothing was replaced.
 */
export const upgradePhaseSchema = z.enum([
  'offered',
  'fetching',
  'staged',
  'swapped',
  'proving',
  'done',
  'rolled_back',
  'failed',
]);
export type UpgradePhase = z.infer<typeof upgradePhaseSchema>;

/** What an agent tells of its own upgrade. */
export const upgradeReportSchema = z.object({
  phase: upgradePhaseSchema,
  /** The version that it is to become, or became. */
  version: z.string().max(40),
  /** In words: what is waited for, or why it came to nothing. */
  detail: z.string().max(500).nullable(),
});
export type UpgradeReport = z.infer<typeof upgradeReportSchema>;
