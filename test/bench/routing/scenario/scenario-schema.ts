import { z } from 'zod';
import { cards } from '../cards.js';

const positive = z.number().positive();
const count = z.number().int().positive();
/** Of one prompt or answer: what is longer takes a run of days, and no engine. */
const tokens = count.max(10_000_000);

const lengths = z.strictObject({
  lognormal: z
    .strictObject({ median: positive, sigma: z.number().min(0).max(3), most: tokens })
    .refine(({ median, most }) => median <= most, 'the median is above what is allowed at most'),
});

const replica = z.strictObject({
  deployment: z.string().min(1),
  card: z.enum(Object.keys(cards) as [keyof typeof cards]).optional(),
  iterationMs: positive.optional(),
  decodingMs: z.number().min(0).optional(),
  promptTokenMs: positive.optional(),
  kvTokens: count.optional(),
  slots: count.max(1024).optional(),
  tokensPerIteration: count.min(1024).optional(),
  mostWaiting: count.nullable().optional(),
});

const load = z.union(
  [z.strictObject({ ofCapacity: positive.max(3) }), z.strictObject({ requestsPerSecond: positive })],
  'expected { ofCapacity: 0.7 } (at most 3) or { requestsPerSecond: 2 }',
);

const arrivals = z.union(
  [
    z.literal('poisson'),
    z.strictObject({
      bursts: z.strictObject({
        onSeconds: positive,
        offSeconds: positive,
        factor: z.number().min(1).max(20),
      }),
    }),
  ],
  'expected poisson or { bursts: { onSeconds: 15, offSeconds: 45, factor: 3 } }',
);

const outside = z.strictObject({
  replica: z.string(),
  /** While it lasts. `ofCapacity` is here that of the one replica. */
  load,
  onSeconds: positive,
  offSeconds: z.number().min(0),
});

const event = z.strictObject({
  atSeconds: z.number().min(0),
  replica: z.string(),
  becomes: z.enum(['ready', 'loading', 'crashed']),
  /** When the router is told. */
  toldAfterSeconds: z.number().min(0).default(1),
  /** `ready`: how much longer its first iteration takes. */
  coldSeconds: z.number().min(0).default(0),
});

/** What a file of the route laboratory holds. `docs/routing-scenarios.md` explains it. */
export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  seed: z.number().int().min(0).default(1),
  requests: count.max(100_000).default(2_000),
  /** The first ones count in no figure: until then the fleet fills and policies learn. */
  ignoreFirst: z.number().int().min(0).default(200),
  fleet: z.array(replica).min(1).max(200),
  load,
  arrivals: arrivals.default('poisson'),
  prompt: lengths,
  answer: lengths,
  prefixes: z
    .strictObject({
      groups: count,
      sharedTokens: tokens,
      turns: count.max(1_000),
      conversations: count.default(40),
    })
    .optional(),
  /** The share of requests that stream: others tell nothing before their end. */
  streamed: z.number().min(0).max(1).default(0.7),
  estimateError: z.number().min(0).max(2).default(0.2),
  gauges: z
    .strictObject({
      everySeconds: positive,
      lagSeconds: z
        .tuple([z.number().min(0), z.number().min(0)])
        .refine(([least, most]) => least <= most, 'the least lag is above the most'),
    })
    .default({ everySeconds: 1, lagSeconds: [3, 6] }),
  outside: z.array(outside).default([]),
  events: z.array(event).default([]),
  slo: z
    .strictObject({ ttftSeconds: positive, perTokenSeconds: positive })
    .default({ ttftSeconds: 2, perTokenSeconds: 0.1 }),
  /** True: every policy has lived through other requests of the same kind before. */
  learnt: z.boolean().default(false),
});

export type ScenarioFile = z.infer<typeof scenarioSchema>;
