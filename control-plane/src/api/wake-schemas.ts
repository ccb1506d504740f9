import { z } from '@hono/zod-openapi';
import { WAKE_ASKERS, WAKE_OUTCOMES } from '../registry/power-types.js';

export const wakeSchema = z
  .object({
    wakeId: z.string(),
    host: z.string(),
    askedAtMs: z.number(),
    askedBy: z.enum(WAKE_ASKERS),
    /** The key of the request that asked first. */
    keyId: z.string().nullable(),
    role: z.string().nullable(),
    deployment: z.string().nullable(),
    /** What the host was in: suspend, hibernate, poweroff, unknown. */
    fromState: z.string(),
    /** `null`: under way. */
    outcome: z.enum(WAKE_OUTCOMES).nullable(),
    failedPhase: z.string().nullable(),
    detail: z.string().nullable(),
    /** Phase → milliseconds since it was asked for; `model_ready:NAME` of each deployment. */
    phases: z.record(z.string(), z.number()),
    endedAtMs: z.number().nullable(),
    /** Most requests that were held for it at once. */
    waiters: z.int(),
  })
  .openapi('Wake');
