import { issueSchema, ownerReportSchema, replicaStatusSchema } from '@ai-fabric/shared';
import { z } from 'zod';

/** What a running agent says of itself to whoever may use its state directory. */
export const agentStatusSchema = z.object({
  pid: z.int(),
  version: z.string(),
  startedAtMs: z.number(),
  server: z.string(),
  hostName: z.string(),
  hostId: z.string(),
  link: z.object({
    state: z.enum(['connecting', 'proving', 'linked', 'waiting', 'stopped']),
    /** Wall clock; `null` while there is no link. */
    linkedSinceMs: z.number().nullable(),
    /** Why there is no link. */
    problem: z.string().nullable(),
  }),
  cards: z.array(z.object({ uuid: z.string(), name: z.string() })),
  issues: z.array(issueSchema),
  replicas: z.array(replicaStatusSchema),
  /** Whose the cards are; `null` while it starts. */
  owner: ownerReportSchema.nullable(),
  /** Samples that wait for a link. */
  waitingSamples: z.int(),
  droppedSamples: z.int(),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;
