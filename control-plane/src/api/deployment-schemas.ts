import {
  engineReadingSchema,
  issueSchema,
  nameSchema,
  replicaStatusSchema,
  taskSchema,
  vllmReplicaSchema,
} from '@ai-fabric/shared';
import { z } from '@hono/zod-openapi';
import { presetNames } from '../declared/decide/presets.js';
import { CAPABILITIES } from '../declared/declared-state.js';

/** A deployment's entry of a fabric.yaml. What may stand in it is in docs/schema/fabric.schema.json. */
const entrySchema = z.record(z.string(), z.unknown());

const expectedRevisionSchema = z
  .int()
  .min(0)
  .optional()
  .openapi({ description: 'The revision of the plan that was agreed to: another one now is a conflict' });

export const createDeploymentSchema = z
  .strictObject({
    name: nameSchema,
    deployment: entrySchema.openapi({
      description: 'As it stands in a fabric.yaml: see docs/schema/fabric.schema.json',
      example: { host: 'armitage', engine: 'vllm', preset: 'chat-fast' },
    }),
    expectedRevision: expectedRevisionSchema,
  })
  .openapi('CreateDeploymentRequest');

export const changeDeploymentSchema = z
  .strictObject({
    changes: entrySchema.openapi({
      description: 'Fields of its entry; each replaces the one that is there, `null` takes it out',
      example: { contextTokens: 8192, quantization: null },
    }),
    expectedRevision: expectedRevisionSchema,
  })
  .openapi('ChangeDeploymentRequest');

export const adoptSchema = z
  .strictObject({
    container: z.string().min(1).max(200).nullable().openapi({
      description:
        'Name of a container on its host that runs already; `null`: keep one of our own making again',
      example: 'vllm-armitage',
    }),
  })
  .openapi('AdoptRequest');

/** What an agent observes of a replica. The engine's key, where the agent tells one, is nobody's to read here. */
export const shownStatusSchema = replicaStatusSchema.omit({ directKey: true });

/** What is observed around a deployment, beside what is declared of it. */
const facts = {
  /** What its host's agent observes; `null` before the first report. */
  observed: z
    .object({
      status: shownStatusSchema,
      /** Since when it is in its phase, server's clock. */
      phaseSinceMs: z.number(),
      reading: engineReadingSchema.nullable(),
      readingAtMs: z.number().nullable(),
    })
    .nullable(),
  /** Of its host; what is observed is old where that is not "online". */
  hostPresence: z.enum(['online', 'late', 'away', 'unseen']),
  /** Whether requests reach its host's tunnel now; `null`: it needs none. */
  tunnelUp: z.boolean().nullable(),
  /** Those of its host's issues that are about it. `sinceMs`: first seen, server's clock. */
  issues: z.array(issueSchema.extend({ sinceMs: z.number() })),
  /** The roles that may be served by it. */
  roles: z.array(z.string()),
  /** What its engine's answers have told the router: see docs/routing.md. */
  learned: z
    .object({
      /** Seconds: of one iteration, and what each answer being written and each token of a prompt add to it. */
      iterationSeconds: z.number(),
      perDecodingSeconds: z.number(),
      perPromptTokenSeconds: z.number(),
      /** What this was learned from; 0: it is a guess. */
      observations: z.int(),
      bytesPerToken: z.number(),
      /** How late its gauges are; `null`: not known yet. */
      gaugeLagSeconds: z.number().nullable(),
      /** Times as slow as the rates say, of late. */
      drift: z.number(),
    })
    .nullable(),
};

const declared = {
  name: z.string(),
  host: z.string(),
  task: taskSchema,
  servedModel: z.string(),
  maxConcurrent: z.number(),
  contextTokens: z.number().nullable(),
  capabilities: z.array(z.enum(CAPABILITIES)).nullable(),
  listed: z.boolean(),
};

export const deploymentSchema = z
  .discriminatedUnion('engine', [
    z.object({ ...declared, engine: z.literal('external'), url: z.string(), ...facts }),
    z.object({
      ...vllmReplicaSchema.omit({ deployment: true }).shape,
      ...declared,
      preset: z.enum(presetNames).nullable(),
      cardGigabytes: z.number(),
      address: z.string().nullable(),
      ...facts,
    }),
  ])
  .openapi('Deployment');

export const orphansRemovedSchema = z
  .object({
    /** What was asked for, and is gone: those that are reported, unless they were named. */
    removed: z.array(z.object({ containerId: z.string(), name: z.string().nullable() })),
    detail: z.string().nullable(),
  })
  .openapi('OrphansRemoved');
