import { z } from '@hono/zod-openapi';
import { REQUEST_OUTCOMES } from '../registry/request-types.js';

const name = (what: string) => z.string().openapi({ description: `${what}; empty where there is none` });
const count = z.int().nullable();

export const loggedRequestSchema = z
  .object({
    sequence: z
      .int()
      .openapi({ description: 'Rises with each request that ends; `afterSequence` follows it' }),
    requestId: z.string().openapi({ description: 'As `x-request-id` named it' }),
    endedAtMs: z.int(),
    key: name('The key that asked'),
    role: name('What was asked for, by its declared name'),
    target: name('What served it, or was asked last'),
    host: name('The host or provider of that target'),
    endpoint: name('The path behind /v1'),
    stream: z.boolean(),
    outcome: z.enum(REQUEST_OUTCOMES),
    status: z.int().nullable().openapi({ description: 'HTTP status; null where the client left before it' }),
    reason: z.string().openapi({ description: 'Code of why it went there, or why it ended so' }),
    promptTokens: count,
    completionTokens: count,
    cachedTokens: count,
    ttftMs: count.openapi({ description: "From asking the target to a stream's first byte" }),
    totalMs: z.int(),
    queueMs: z.int().openapi({ description: 'What it waited here for targets' }),
    attempts: z.int(),
  })
  .openapi('LoggedRequest');

export const requestPageSchema = z
  .object({
    items: z.array(loggedRequestSchema),
    nextCursor: z.string().nullable().openapi({
      description: 'Where to go on. A page may hold fewer items than asked for, even none, and yet go on',
    }),
    newestSequence: z
      .int()
      .openapi({ description: 'Everything up to here was looked at: send it as `afterSequence` to follow' }),
  })
  .openapi('RequestPage');

// Not `extend`: the document would make an `allOf` of it, which no reader can hold to "nothing else".
export const explainedRequestSchema = z
  .object({
    ...loggedRequestSchema.shape,
    explanation: z.object({
      whyHere: z.string(),
      whyNotThere: z.array(z.object({ target: z.string(), code: z.string(), words: z.string() })),
      rounds: z
        .array(
          z.object({
            reason: z.string(),
            considered: z.array(
              z.object({ target: z.string(), verdict: z.string(), costSeconds: z.number().nullable() }),
            ),
            others: z
              .array(z.object({ verdict: z.string(), count: z.int() }))
              .optional()
              .openapi({
                description:
                  'Targets that have no line in `considered`: of more than 16 the cheapest are told, the rest counted',
              }),
            failure: z.string().nullable(),
          }),
        )
        .nullable()
        .openapi({
          description:
            'Each look for a target; null where there was one target and one attempt, or where it is not kept any more',
        }),
    }),
  })
  .openapi('ExplainedRequest');

const keptTextSchema = z.object({
  text: z.string(),
  sizeBytes: z.int().openapi({ description: 'Of all of it, in bytes' }),
  cut: z.boolean().openapi({ description: 'More was said than is kept' }),
});

export const requestBodySchema = z
  .object({
    requestId: z.string(),
    endedAtMs: z.int(),
    request: keptTextSchema,
    answer: keptTextSchema,
  })
  .openapi('RequestBody');

export const usageSchema = z
  .object({
    bucketStartMs: z.int().openapi({ description: 'Start of the hour or day, UTC' }),
    name: z.string().openapi({ description: 'The role, target, host or key; empty where there was none' }),
    requests: z.int(),
    ok: z.int(),
    clientErrors: z.int(),
    refused: z.int(),
    failed: z.int(),
    interrupted: z.int(),
    clientGone: z.int(),
    retries: z.int(),
    promptTokens: z.int(),
    completionTokens: z.int(),
    cachedTokens: z.int(),
    meanTotalMs: z.number().nullable(),
    maxTotalMs: z.int(),
    meanQueueMs: z.number().nullable(),
    meanTtftMs: z.number().nullable().openapi({ description: 'Of streams; null where there were none' }),
  })
  .openapi('Usage');
