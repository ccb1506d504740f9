import { externalReplicaSchema, nameSchema, taskSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { addressSchema, ENGINE_ADDRESS } from './address-schema.js';
import { capabilitiesSchema } from './capability-schema.js';
import { modelIdSchema } from './model-id-schema.js';
import { vllmEntrySchema } from './vllm-entry-schema.js';

const externalEntrySchema = z
  .strictObject({
    host: nameSchema.describe('The host that it runs on: one of `hosts`.'),
    task: taskSchema.describe('What its model is for.'),
    engine: z.literal('external').describe('Somebody else runs the engine; the agent watches it.'),
    url: addressSchema('http://armitage:8000', false)
      .refine((text) => externalReplicaSchema.shape.url.safeParse(text).success, {
        error: 'an address such as http://armitage:8000',
        abort: true,
      })
      .meta({
        pattern: ENGINE_ADDRESS,
        description:
          'Where the engine answers, without /v1, as both the control plane and the agent reach it.',
      }),
    servedModel: modelIdSchema.describe('What the engine calls the model in its own /v1/models.'),
    maxConcurrent: z
      .int()
      .min(1)
      .max(4096)
      .default(16)
      .describe('Requests that the engine takes at once; above it the router looks elsewhere.'),
    contextTokens: z
      .int()
      .min(1)
      .max(100_000_000)
      .nullable()
      .default(null)
      .describe('Prompt and answer together, in tokens. Left out: as the engine reports.'),
    capabilities: capabilitiesSchema
      .nullable()
      .default(null)
      .describe('All that its model can beside text. Left out: not known, and nothing is ruled out.'),
    listed: z
      .boolean()
      .default(true)
      .describe(
        'Whether clients see it in /v1/models and may ask for it under its own name; its roles and aliases serve it anyway.',
      ),
  })
  .describe('A model on a host, served by an engine that somebody else runs.');

export const deploymentEntrySchema = z
  .discriminatedUnion('engine', [externalEntrySchema, vllmEntrySchema], {
    error: 'expected external or vllm',
  })
  .describe('A model on a host. `engine` says who runs it.');
export type DeploymentEntry = z.infer<typeof deploymentEntrySchema>;
