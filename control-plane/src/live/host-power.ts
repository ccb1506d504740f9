import { powerVerbSchema } from '@ai-fabric/shared';
import { z } from 'zod';

/**
 * `asleep`: it said that it suspends or shuts down, or is away and was put to sleep; `waking`: a wake is under way; `offline`:
 * away without a word; whether it can be woken is a fact beside this.
 */
export const powerStateSchema = z.enum(['unseen', 'online', 'late', 'asleep', 'waking', 'offline']);
export type PowerState = z.infer<typeof powerStateSchema>;

export const wakePhaseSchema = z.enum(['packet_sent', 'answers', 'agent_back', 'engine_up', 'model_ready']);
export type WakePhase = z.infer<typeof wakePhaseSchema>;

export const wakeabilitySchema = z.discriminatedUnion('kind', [
  /** `proven`: it came back from the state that it is in, up to a token. */
  z.object({ kind: z.literal('yes'), proven: z.boolean() }),
  /** A code, and what stands in the way in words, with the fix. */
  z.object({ kind: z.literal('no'), reason: z.string(), detail: z.string() }),
  z.object({ kind: z.literal('unknown'), detail: z.string() }),
]);
export type Wakeability = z.infer<typeof wakeabilitySchema>;

/** A wake that is under way. Times are on the server's clock. */
export const wakeFlightSchema = z.object({
  wakeId: z.string(),
  askedAtMs: z.number(),
  /** The last phase that was reached; `null`: nothing was sent yet. */
  phase: wakePhaseSchema.nullable(),
  phaseSinceMs: z.number(),
  /** Requests that are held for it. */
  waiters: z.int(),
  /** In words: "agent back after 34 s, usually 31 s; model ready in about 48 s". */
  text: z.string(),
});
export type WakeFlight = z.infer<typeof wakeFlightSchema>;

/** The fabric puts it to sleep. */
export const goingToSleepSchema = z.object({
  action: z.union([powerVerbSchema, z.literal('container-only')]),
  phase: z.enum(['announced', 'draining', 'going']),
  sinceMs: z.number(),
  reason: z.string(),
});

/** What the fleet knows of a host's power. Written by the fleet alone. */
export const hostPowerSchema = z.object({
  state: powerStateSchema,
  sinceMs: z.number(),
  wakeability: wakeabilitySchema,
  flight: wakeFlightSchema.nullable(),
  goingToSleep: goingToSleepSchema.nullable(),
  keepAwakeUntilMs: z.number().nullable(),
  /** By deployment: seconds from the wish to a ready model, as usual (p50), or as guessed where it was never woken. */
  readySeconds: z.record(z.string(), z.number()),
});
export type HostPower = z.infer<typeof hostPowerSchema>;

/** Until the fleet has said anything. */
export const UNKNOWN_POWER: HostPower = {
  state: 'unseen',
  sinceMs: 0,
  wakeability: { kind: 'unknown', detail: 'nothing is known of this host yet' },
  flight: null,
  goingToSleep: null,
  keepAwakeUntilMs: null,
  readySeconds: {},
};
