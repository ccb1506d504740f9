import { contextTokensSchema, modelNameSchema, nameSchema, taskSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { capabilitiesSchema } from './capability-schema.js';
import { onAsleepSchema } from './power-schema.js';
import { REQUEST_CLASSES } from './request-class.js';

const MAX_TIMEOUT_SECONDS = 86_400;
export const MAX_TARGETS = 32;

const timeoutSeconds = z.number().gt(0).max(MAX_TIMEOUT_SECONDS);

const conditionEntrySchema = z
  .strictObject({
    whenWaitExceeds: z
      .number()
      .min(0)
      .max(3_600)
      .nullable()
      .default(null)
      .describe(
        'Seconds: asked only where the targets before it are predicted to take longer until they begin; then the cheaper serves.',
      ),
    maxContext: contextTokensSchema
      .nullable()
      .default(null)
      .describe('Tokens: only for requests whose prompt and allowed answer have at most so many.'),
    capabilities: capabilitiesSchema
      .min(1)
      .nullable()
      .default(null)
      .describe('Only for requests that need one of these at least.'),
    localOnly: z
      .boolean()
      .default(false)
      .describe('Only for requests that may not leave your hosts, by their key or x-fabric-local-only.'),
  })
  .describe('When it is asked at all. Left out: always.');

const targetEntrySchema = z
  .union([
    z.strictObject({
      deployment: modelNameSchema.describe('One of `deployments`.'),
      when: conditionEntrySchema.optional(),
    }),
    z.strictObject({
      provider: nameSchema.describe('One of `providers`.'),
      model: nameSchema.describe('Short name of one of its models.'),
      when: conditionEntrySchema.optional(),
    }),
  ])
  .describe('What may serve the role.');

const weight = z.number().min(0).max(10);
const weightsEntrySchema = z
  .strictObject({
    firstToken: weight.default(1).describe('Of a second until the first token.'),
    answer: weight.default(0.05).describe('Of a second of the rest of the answer.'),
  })
  .default({ firstToken: 1, answer: 0.05 })
  .describe('How much its clients mind waiting: targets that compete are compared by the sum.');

export const roleEntrySchema = z
  .strictObject({
    task: taskSchema.describe('What the role is for; that of all its targets.'),
    targets: z
      .array(targetEntrySchema)
      .min(1)
      .max(MAX_TARGETS)
      .describe(
        'In order. Deployments next to each other compete by predicted seconds; what stands behind them serves when none of them can, or not as soon as its `when` says.',
      ),
    firstByteTimeoutSeconds: timeoutSeconds
      .default(120)
      .describe('How long an engine may take to its first byte.'),
    dimensions: z
      .int()
      .min(1)
      .max(65_536)
      .nullable()
      .default(null)
      .describe('Length of its vectors, for an embeddings role; `ai-fabric smoke` checks it.'),
    idleTimeoutSeconds: timeoutSeconds.default(120).describe('How long an answer may pause.'),
    totalTimeoutSeconds: timeoutSeconds.default(1800).describe('How long an answer may take in all.'),
    patienceSeconds: z
      .number()
      .min(0)
      .max(3_600)
      .default(50)
      .describe(
        'How long a request is held while no target can serve it but one is expected soon; 0: never. Then the cloud is asked, where the role has it.',
      ),
    onAsleep: onAsleepSchema,
    weights: weightsEntrySchema,
    longestPatienceSeconds: z
      .number()
      .min(0)
      .max(3_600)
      .nullable()
      .default(null)
      .describe(
        'The longest that a request may ask to be held, with `x-fabric-max-wait`. Left out: `patienceSeconds`, or 50 where that is less.',
      ),
    class: z
      .enum(REQUEST_CLASSES)
      .default('normal')
      .describe(
        'How urgent its requests are where they wait: of 13 turns `interactive` has 8, `normal` 4, `batch` 1. A request may say otherwise with `x-fabric-class`.',
      ),
  })
  .describe('A logical name that clients ask for.');
