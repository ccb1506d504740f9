import { z } from 'zod';
import { nameSchema } from './names.js';
import { taskSchema } from './task.js';
import { vllmReplicaSchema } from './vllm-replica.js';

const measured = z.number().nullable();

/** A replica that somebody else runs and that the agent only watches. */
export const externalReplicaSchema = z.strictObject({
  deployment: nameSchema,
  task: taskSchema,
  engine: z.literal('external'),
  url: z.url({ protocol: /^https?$/ }),
  /** The model name that the engine itself serves. */
  servedModel: z.string().min(1).max(200),
});
export type ExternalReplica = z.infer<typeof externalReplicaSchema>;

/** What an agent is asked to keep on its host. */
export const desiredReplicaSchema = z.discriminatedUnion('engine', [
  externalReplicaSchema,
  vllmReplicaSchema,
]);
export type DesiredReplica = z.infer<typeof desiredReplicaSchema>;

/**
 * `absent`: there is none, which a `detail` explains where that is as declared. `starting`: the engine refuses
 * connections; `loading`: it answers but does not list the model, or says that it loads; `warming`: the one-token
 * proof is under way. `crash_looping`: it ended so often that the next start waits.
 */
export const replicaPhaseSchema = z.enum([
  'absent',
  'pulling',
  'creating',
  'starting',
  'loading',
  'warming',
  'ready',
  'draining',
  'stopping',
  'parked',
  'failed',
  'crash_looping',
]);
export type ReplicaPhase = z.infer<typeof replicaPhaseSchema>;

export const replicaProgressSchema = z.object({
  doneBytes: measured,
  totalBytes: measured,
  text: z.string().max(200),
});
export type ReplicaProgress = z.infer<typeof replicaProgressSchema>;

export const replicaContainerSchema = z.object({
  id: z.string().min(1).max(80),
  image: z.string().max(300),
  /** Of the run that is under way; `null`: it does not run. */
  startedAtMs: measured,
  /** Somebody else made it, and we were told to keep it. */
  adopted: z.boolean(),
});
export type ReplicaContainer = z.infer<typeof replicaContainerSchema>;

export const fitVerdictSchema = z.enum(['fits', 'tight', 'does_not_fit', 'unknown']);
export type FitVerdict = z.infer<typeof fitVerdictSchema>;

/** Whether the model fits the card. */
export const replicaFitSchema = z.object({
  verdict: fitVerdictSchema,
  neededBytes: measured,
  freeBytes: measured,
  detail: z.string().max(500),
});
export type ReplicaFit = z.infer<typeof replicaFitSchema>;

/**
 * What fetching it will take of the disk of the container engine, told before it happens. 0: it is there already; `null`:
 * not known.
 */
export const replicaGrowthSchema = z.object({
  /** Of the image, unpacked: an estimate from what its registry says is fetched. */
  imageBytes: measured,
  weightsBytes: measured,
  freeBytes: measured,
  /** What the numbers rest on, and whether it will fit, in words. */
  detail: z.string().max(500),
});
export type ReplicaGrowth = z.infer<typeof replicaGrowthSchema>;

/** What the agent observed of a replica; sent when anything in it changes. What an older agent leaves out is `null`. */
export const replicaStatusSchema = z.object({
  deployment: nameSchema,
  phase: replicaPhaseSchema,
  /** Why it is not ready, in words for the operator. */
  detail: z.string().max(500).nullable(),
  /** The code of a `failed` phase. */
  code: z.string().max(60).nullable(),
  engineVersion: z.string().max(80).nullable(),
  maxModelLen: z.int().positive().nullable(),
  progress: replicaProgressSchema.nullable().default(null),
  /** How long it has been in this phase, when this was sent. */
  phaseSeconds: measured.default(null),
  /** How long this phase usually takes for this model on this host. */
  usualPhaseSeconds: z.object({ p50: z.number(), p95: z.number() }).nullable().default(null),
  container: replicaContainerSchema.nullable().default(null),
  /** What differs from the declaration, in words. */
  drift: z.array(z.string().max(200)).max(16).default([]),
  fit: replicaFitSchema.nullable().default(null),
  /** Until it is ready. */
  growth: replicaGrowthSchema.nullable().default(null),
  /** Where the engine listens on the host. */
  port: z.int().min(1).max(65_535).nullable().default(null),
  /** The engine's key, only in `direct` reach. A secret: not stored, not shown. */
  directKey: z.string().max(200).nullable().default(null),
});
export type ReplicaStatus = z.infer<typeof replicaStatusSchema>;

/** The status of a replica of which only this much is known. */
export function describeReplica(
  known: Pick<ReplicaStatus, 'deployment' | 'phase'> & Partial<ReplicaStatus>,
): ReplicaStatus {
  const { deployment, phase, ...more } = known;
  return {
    deployment,
    phase,
    detail: null,
    code: null,
    engineVersion: null,
    maxModelLen: null,
    progress: null,
    phaseSeconds: null,
    usualPhaseSeconds: null,
    container: null,
    drift: [],
    fit: null,
    growth: null,
    port: null,
    directKey: null,
    ...more,
  };
}

/** A status without its secret: for whatever is stored or shown. */
export function withoutDirectKey(status: ReplicaStatus): ReplicaStatus {
  return status.directKey === null ? status : { ...status, directKey: null };
}

/** A container that carries our label and that nothing declares. The texts are what its labels and engine say. */
export const orphanSchema = z.object({
  containerId: z.string().regex(/^[0-9a-f]{12,64}$/),
  name: z.string().max(200),
  deployment: z.string().max(120),
});
export type Orphan = z.infer<typeof orphanSchema>;

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
