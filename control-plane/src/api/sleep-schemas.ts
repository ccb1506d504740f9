import { z } from '@hono/zod-openapi';
import { goingToSleepSchema, powerStateSchema } from '../live/host-power.js';

export const sleepActionSchema = z.enum(['suspend', 'hibernate', 'poweroff', 'container-only']);

/** How a host stands with its sleep. */
export const sleepStandingSchema = z
  .object({
    host: z.string(),
    state: powerStateSchema,
    /** `null`: it is not on its way. */
    goingToSleep: goingToSleepSchema.nullable(),
    keepAwakeUntilMs: z.number().nullable(),
    /** What keeps it from going to sleep by itself now; `null`: nothing does. */
    keptAwakeBy: z
      .object({
        /** As `requests`, `owner_present`, `wake_not_proven`. */
        guard: z.string(),
        detail: z.string(),
        /** `hosts sleep --force` goes past it. */
        mayBeForced: z.boolean(),
      })
      .nullable(),
    /** What came of the last attempt since the control plane started. */
    last: z
      .object({
        atMs: z.number(),
        action: sleepActionSchema,
        askedBy: z.enum(['idle', 'operator', 'rehearsal']),
        outcome: z.enum(['asleep', 'failed']),
        /** `null`: it went to sleep. */
        code: z.string().nullable(),
        detail: z.string().nullable(),
      })
      .nullable(),
  })
  .openapi('SleepStanding');
export type SleepStanding = z.infer<typeof sleepStandingSchema>;
