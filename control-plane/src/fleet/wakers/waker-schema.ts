import { nameSchema } from '@ai-fabric/shared';
import { z } from 'zod';

const timeoutSeconds = z.number().min(1).max(120).default(20);

/** A program with its arguments; no shell reads them. */
const commandWakerSchema = z.strictObject({
  command: z.array(z.string().min(1).max(1_000)).min(1).max(32),
  timeoutSeconds,
});
export type CommandWaker = z.infer<typeof commandWakerSchema>;

/** A request, such as a smart plug takes. */
const httpWakerSchema = z.strictObject({
  http: z.strictObject({
    method: z.enum(['GET', 'POST', 'PUT']).default('POST'),
    url: z.url({ protocol: /^https?$/ }),
    headers: z.record(z.string().max(100), z.string().max(2_000)).default({}),
    body: z.string().max(10_000).nullable().default(null),
  }),
  timeoutSeconds,
});
export type HttpWaker = z.infer<typeof httpWakerSchema>;

export const wakersFileSchema = z.strictObject({
  version: z.literal(1),
  wakers: z.record(nameSchema, z.union([commandWakerSchema, httpWakerSchema])),
});

export type Waker = CommandWaker | HttpWaker;
