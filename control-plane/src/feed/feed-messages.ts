import {
  engineReadingSchema,
  gpuReadingSchema,
  hostInventorySchema,
  hostReadingSchema,
  issueSchema,
  nameSchema,
  orphanSchema,
  ownerReportSchema,
  replicaStatusSchema,
  telemetryDeltaSchema,
  upgradeReportSchema,
} from '@ai-fabric/shared';
import { z } from 'zod';
import { hostPowerSchema } from '../live/host-power.js';

/** A host without its readings: those come as samples. */
const feedHostSchema = z.object({
  name: nameSchema,
  hostId: z.string().nullable(),
  presence: z.enum(['online', 'late', 'away', 'unseen']),
  presenceSinceMs: z.number(),
  goodbyeReason: z.string().nullable(),
  /** As of this message: it is not sent each time that a host is heard of. */
  lastSeenMs: z.number().nullable(),
  agentVersion: z.string().nullable(),
  agentCommit: z.string().nullable(),
  agentPackaged: z.boolean().nullable(),
  protocolVersion: z.int().nullable(),
  peerAddress: z.string().nullable(),
  clockSkewMs: z.number().nullable(),
  draining: z.boolean(),
  /** Its engines can be asked through its agent. */
  tunnelUp: z.boolean(),
  revokedAtMs: z.number().nullable(),
  inventory: hostInventorySchema.nullable(),
  issues: z.array(issueSchema.extend({ sinceMs: z.number() })).readonly(),
  /** Containers with our label on it that nothing declares. */
  orphans: z.array(orphanSchema).readonly(),
  droppedSamples: z.number(),
  owner: ownerReportSchema.nullable(),
  ownerSinceMs: z.number().nullable(),
  power: hostPowerSchema,
  upgrade: upgradeReportSchema.nullable(),
});
export type FeedHost = z.infer<typeof feedHostSchema>;

/** A replica without its readings: those come in its host's samples. */
const feedReplicaSchema = z.object({
  deployment: nameSchema,
  host: nameSchema,
  /** Without the engine's key. */
  status: replicaStatusSchema.omit({ directKey: true }),
  /** Server's clock: since when it is in its phase. */
  phaseSinceMs: z.number(),
});
export type FeedReplica = z.infer<typeof feedReplicaSchema>;

const sampleSchema = z.object({
  /** Server's clock. */
  atMs: z.number(),
  host: hostReadingSchema,
  gpus: z.record(z.string(), gpuReadingSchema),
  replicas: z.record(nameSchema, engineReadingSchema),
});

/** Everything that the filter lets through, as of `seq`. The first message; it may come again, and then stands for all that came before. */
export const feedSnapshotSchema = z.object({
  type: z.literal('snapshot'),
  /** Whose `seq` it is: to be sent back by who was cut off and comes again. */
  stream: z.string(),
  seq: z.int(),
  atMs: z.number(),
  hosts: z.array(z.object({ host: feedHostSchema, sample: sampleSchema.nullable() })),
  replicas: z.array(feedReplicaSchema),
});
export type FeedSnapshot = z.infer<typeof feedSnapshotSchema>;

/**
 * What brings a holder of `fromSeq` to `seq`. A receiver that holds another `seq` has missed something and must
 * subscribe anew. To be applied in the order of the fields.
 */
export const feedChangeSchema = z.object({
  type: z.literal('change'),
  fromSeq: z.int(),
  seq: z.int(),
  atMs: z.number(),
  removedHosts: z.array(nameSchema).optional(),
  hosts: z.array(feedHostSchema).optional(),
  /** Differences to the sample that the receiver holds of each host; complete where it holds none. */
  samples: z.array(z.object({ host: nameSchema, delta: telemetryDeltaSchema })).optional(),
  removedReplicas: z.array(nameSchema).optional(),
  replicas: z.array(feedReplicaSchema).optional(),
  /** Stretches of the past that were filled in: ask for the history again where it is shown. */
  backfilled: z.array(z.object({ host: nameSchema, fromMs: z.number(), toMs: z.number() })).optional(),
});
export type FeedChange = z.infer<typeof feedChangeSchema>;

/** Last message before the control plane closes. */
export const feedGoodbyeSchema = z.object({
  type: z.literal('goodbye'),
  reason: z.enum(['slow_consumer', 'service_stop']),
  detail: z.string(),
});
export type FeedGoodbye = z.infer<typeof feedGoodbyeSchema>;

/** What a subscriber of `/api/v1/telemetry` gets: JSON text, one message a frame. It need not say anything itself. */
export const feedMessageSchema = z.discriminatedUnion('type', [
  feedSnapshotSchema,
  feedChangeSchema,
  feedGoodbyeSchema,
]);
export type FeedMessage = z.infer<typeof feedMessageSchema>;
