import {
  containerEngineReportSchema,
  issueSchema,
  ownerReportSchema,
  replicaStatusSchema,
  upgradeReportSchema,
  wakeArmingSchema,
} from '@ai-fabric/shared';
import { z } from 'zod';

/** What a running agent says of itself to whoever may use its state directory. */
export const agentStatusSchema = z.object({
  pid: z.int(),
  version: z.string(),
  /** As the wall clock counts now: it may have been set since. */
  startedAtMs: z.number(),
  server: z.string(),
  hostName: z.string(),
  hostId: z.string(),
  link: z.object({
    state: z.enum(['connecting', 'proving', 'linked', 'waiting', 'stopped']),
    /** Wall clock; `null` while there is no link. */
    linkedSinceMs: z.number().nullable(),
    /** This machine's wall clock less the control plane's; `null` while there is no link. */
    clockAheadMs: z.number().nullable().default(null),
    /** Why there is no link. */
    problem: z.string().nullable(),
    /** The same as a word: of the connection, or the reason of the control plane's goodbye. */
    problemCode: z.string().nullable().default(null),
  }),
  cards: z.array(z.object({ uuid: z.string(), name: z.string() })),
  issues: z.array(issueSchema),
  replicas: z.array(replicaStatusSchema),
  /** Whose the cards are; `null` while it starts. */
  owner: ownerReportSchema.nullable(),
  /** As it was found last; `null`: not looked for yet, or this agent keeps no containers. */
  containerEngine: containerEngineReportSchema.nullable().default(null),
  /** Whether the machine's cards wake it; `null`: not read yet. */
  wake: z
    .array(z.object({ name: z.string(), wired: z.boolean(), arming: wakeArmingSchema }))
    .nullable()
    .default(null),
  /** The cards were asked for, whatever came of it. */
  cardsAsked: z.boolean().default(true),
  /** Its replicas end because it is to be uninstalled. `stuck`: one did not end in time. `null`: nobody asked. */
  leaving: z.enum(['draining', 'free', 'stuck']).nullable().default(null),
  /** What is offered, under way or just ended; `null`: nothing. */
  upgrade: upgradeReportSchema.extend({ manifestSha256: z.string().nullable() }).nullable().default(null),
  /** Where the engines of its replicas listen, as far as that is known. */
  engines: z.array(z.object({ deployment: z.string(), url: z.string() })).default([]),
  /** Samples that wait for a link. */
  waitingSamples: z.int(),
  droppedSamples: z.int(),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;
