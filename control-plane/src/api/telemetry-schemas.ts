import { z } from '@hono/zod-openapi';

const fieldPointSchema = z
  .object({
    avg: z.number().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    last: z.number().nullable(),
  })
  .openapi('FieldPoint');

const valuesSchema = z.record(z.string(), fieldPointSchema);

const telemetryPointSchema = z
  .object({
    atMs: z.number().openapi({ description: 'Where the point begins' }),
    state: z.enum(['reporting', 'asleep', 'away', 'silent']).openapi({
      description:
        'reporting: it told its values, which are left out where the step is finer than what is kept of that time; asleep: it said that it suspends or shuts down; away: it is not there for another reason; silent: no sample, and nobody knows why',
    }),
    samples: z.number(),
    backfilled: z.boolean().openapi({ description: 'Some of it came after the link was back' }),
    host: valuesSchema.nullable(),
    gpus: z.record(
      z.string(),
      z.object({
        values: valuesSchema,
        throttleReasons: z
          .array(z.string())
          .nullable()
          .openapi({ description: 'What kept its clocks down at any moment of the point' }),
      }),
    ),
    replicas: z.record(z.string(), valuesSchema),
  })
  .openapi('TelemetryPoint');

export const hostTelemetrySchema = z
  .object({
    host: z.string(),
    fromMs: z.number(),
    toMs: z.number(),
    stepMs: z.number(),
    resolution: z.enum(['samples', '1m', '10m', '2h']).openapi({ description: 'What it was made from' }),
    notes: z.array(z.string()).openapi({ description: 'What was asked for and is not answered as asked' }),
    stretches: z.array(
      z.object({
        kind: z.enum(['asleep', 'away', 'backfilled']),
        fromMs: z.number(),
        toMs: z.number(),
        reason: z.string().nullable(),
      }),
    ),
    points: z.array(telemetryPointSchema),
  })
  .openapi('HostTelemetry');
