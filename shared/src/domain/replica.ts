import { z } from 'zod';
import { nameSchema } from './names.js';

const measured = z.number().nullable();

export const taskSchema = z.enum(['chat', 'embeddings']);
export type Task = z.infer<typeof taskSchema>;

/**
 * What an agent is asked to keep on its host. `external` is a replica that somebody else runs and that the
 * agent only watches; a container engine's kinds join this union.
 */
export const desiredReplicaSchema = z.strictObject({
  deployment: nameSchema,
  task: taskSchema,
  engine: z.literal('external'),
  url: z.url({ protocol: /^https?$/ }),
  /** The model name that the engine itself serves. */
  servedModel: z.string().min(1).max(200),
});
export type DesiredReplica = z.infer<typeof desiredReplicaSchema>;

/** `starting`: the engine refuses connections; `loading`: it answers but does not list the model; `warming`: the one-token proof is under way. */
export const replicaPhaseSchema = z.enum(['absent', 'starting', 'loading', 'warming', 'ready', 'failed']);
export type ReplicaPhase = z.infer<typeof replicaPhaseSchema>;

/** What the agent observed of a replica; sent when anything in it changes. */
export const replicaStatusSchema = z.object({
  deployment: nameSchema,
  phase: replicaPhaseSchema,
  /** Why it is not ready, in words for the operator. */
  detail: z.string().max(500).nullable(),
  /** The code of a `failed` phase. */
  code: z.string().max(60).nullable(),
  engineVersion: z.string().max(80).nullable(),
  maxModelLen: z.int().positive().nullable(),
});
export type ReplicaStatus = z.infer<typeof replicaStatusSchema>;

/** vLLM's `/metrics`, alias names resolved. Counters (`…Total`, `…Sum`, `…Count`) are since the engine's start. */
export const engineReadingSchema = z.object({
  running: measured,
  /** Waiting for capacity; deferred requests are not counted where the engine tells them apart. */
  waiting: measured,
  kvUsageRatio: measured,
  kvCapacityTokens: measured,
  promptTokensTotal: measured,
  cachedPromptTokensTotal: measured,
  generationTokensTotal: measured,
  preemptionsTotal: measured,
  timeToFirstTokenSecondsSum: measured,
  timeToFirstTokenCount: measured,
  interTokenSecondsSum: measured,
  interTokenCount: measured,
  /** Of what was finished between this reading and the one before it; `null` where nothing was. */
  timeToFirstTokenP50Seconds: measured,
  timeToFirstTokenP95Seconds: measured,
  interTokenP50Seconds: measured,
  interTokenP95Seconds: measured,
});
export type EngineReading = z.infer<typeof engineReadingSchema>;
