import { contextTokensSchema, nameSchema, taskSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { addressSchema, BASE_ADDRESS } from './address-schema.js';
import { capabilitiesSchema } from './capability-schema.js';
import { providerEndpoints } from './declared-state.js';
import { modelIdSchema } from './model-id-schema.js';
import { priceEntrySchema } from './power-schema.js';
import { secretReferenceSchema } from './secret-reference-schema.js';

const providerModelEntrySchema = z.strictObject({
  model: modelIdSchema.describe('What the provider calls it.'),
  task: taskSchema.default('chat').describe('What the model is for.'),
  capabilities: capabilitiesSchema
    .nullable()
    .default(null)
    .describe('All that the model can beside text. Left out: not known, and nothing is ruled out.'),
  contextTokens: contextTokensSchema
    .nullable()
    .default(null)
    .describe('Prompt and answer together, in tokens. Left out: long enough for anything.'),
  price: priceEntrySchema,
});

export const providerEntrySchema = z
  .strictObject({
    baseUrl: addressSchema('https://api.openai.com/v1', true).meta({
      pattern: BASE_ADDRESS,
      description: 'Up to and with /v1.',
    }),
    apiKey: secretReferenceSchema.nullable().default(null),
    endpoints: z
      .array(z.enum(providerEndpoints))
      .min(1)
      .max(providerEndpoints.length)
      .default(['chat', 'completions', 'embeddings'])
      .describe(
        'What it speaks of `/v1`; other requests go past it. `chat` is /chat/completions, `messages` Anthropic’s /messages and `count_tokens` its /messages/count_tokens, where the key goes into x-api-key.',
      ),
    models: z
      .record(nameSchema, providerModelEntrySchema)
      .describe('Short name → model. `strong` of `openai` is asked for as `openai/strong`.'),
  })
  .describe('A cloud upstream with an OpenAI-compatible API.');
