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
    /** Phase → milliseconds since it was asked for; `model_ready:NAME` of each deployment, `fetched:NAME` of one whose weights were fetched first. */
    phases: z.record(z.string(), z.number()),
    endedAtMs: z.number().nullable(),
    /** Most requests that were held for it at once. */
    waiters: z.int(),
  })
  .openapi('Wake');

/** What a host is put to sleep by, so that it has to be woken. */
export const REHEARSED_ACTIONS = ['suspend', 'hibernate', 'poweroff'] as const;

export const rehearseSchema = z.strictObject({
  /** `null`: as declared. */
  action: z.enum(REHEARSED_ACTIONS).nullable().default(null),
  /** Although a guard speaks against it. */
  despiteGuards: z.boolean().default(false),
});

export const rehearsalSchema = z
  .object({
    host: z.string(),
    startedAtMs: z.number(),
    /** `lying_down`: it said that it goes, and is given the time to. */
    phase: z.enum(['sleeping', 'lying_down', 'waking', 'done']),
    /** What it was put to sleep by; `null`: it is not asleep yet. */
    action: z.enum([...REHEARSED_ACTIONS, 'container-only']).nullable(),
    wakeId: z.string().nullable(),
    /** `null`: under way. */
    outcome: z.enum(['proven', 'failed', 'refused']).nullable(),
    code: z.string().nullable(),
    detail: z.string().nullable(),
  })
  .openapi('Rehearsal');
