import { z } from '@hono/zod-openapi';
import { doctorRunSchema, smokeRunSchema } from '../checks/check-records.js';

const scheduleSchema = z.union([z.object({ everySeconds: z.int() }), z.object({ cron: z.string() })]);

export const bundleSchema = z
  .object({
    fabric: z.record(z.string(), z.unknown()),
    hosts: z.array(z.unknown()),
    replicas: z.array(z.unknown()),
    targets: z.array(z.unknown()),
    events: z.array(z.unknown()),
    checks: z.object({ doctor: z.unknown(), smoke: z.unknown() }),
    log: z.array(z.unknown()).openapi({ description: 'The last lines of its log, oldest first' }),
  })
  .openapi('Bundle');

export const checksSchema = z
  .object({
    doctor: z.object({
      schedule: scheduleSchema.nullable(),
      /** `null`: not scheduled, or under way. */
      nextAtMs: z.number().nullable(),
      last: doctorRunSchema.nullable(),
    }),
    smoke: z.object({
      schedule: scheduleSchema.nullable(),
      nextAtMs: z.number().nullable(),
      last: smokeRunSchema.nullable(),
    }),
    webhook: z.object({
      declared: z.boolean(),
      lastPostedAtMs: z.number().nullable(),
      /** Why the last post came to nothing; `null`: it did not. Never holds the address. */
      lastProblem: z.string().nullable(),
    }),
  })
  .openapi('Checks');
