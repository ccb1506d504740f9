import { z } from '@hono/zod-openapi';

const cachedModelSchema = z
  .object({
    model: z.string(),
    sizeBytes: z.number(),
    revisions: z.array(z.string()),
    complete: z.boolean().openapi({ description: 'Nothing of it is half downloaded' }),
    changedAtMs: z.number(),
  })
  .openapi('CachedModel');

/** As an agent answers. */
export const modelsAnswerSchema = z.object({ models: z.array(cachedModelSchema) });

export const cachedModelsSchema = modelsAnswerSchema
  .extend({ totalBytes: z.number() })
  .openapi('CachedModels');

export const modelRemovedSchema = z.object({ freedBytes: z.number() }).openapi('ModelRemoved');

/** One line of a prefetch. */
export const prefetchLineSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), doneBytes: z.number(), totalBytes: z.number().nullable() }),
  z.object({ kind: z.literal('done'), bytes: z.number() }),
  z.object({ kind: z.literal('failed'), code: z.string(), detail: z.string() }),
]);
