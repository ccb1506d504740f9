import { powerVerbSchema } from '@ai-fabric/shared';
import { z } from 'zod';
import { expectedReadySchema } from './until-ready.js';

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
  /** By deployment, of those that are not ready yet. */
  expected: z.record(z.string(), expectedReadySchema),
});
export type WakeFlight = z.infer<typeof wakeFlightSchema>;

/** The fabric puts it to sleep. */
export const goingToSleepSchema = z.object({
  action: z.union([powerVerbSchema, z.literal('container-only')]),
  phase: z.enum(['announced', 'draining', 'going']),
  sinceMs: z.number(),
  reason: z.string(),
});

/** What was seen of something again and again: its median, and what 95 of 100 do not exceed. */
export const usualSecondsSchema = z.object({
  p50: z.number(),
  p95: z.number(),
  /** Of so many wakes. */
  wakes: z.int(),
});
export type UsualSeconds = z.infer<typeof usualSecondsSchema>;

/** How long the last twenty wakes of a host took that led to a ready model. `null`: there was none. */
export const wakeTimesSchema = z.object({
  /** From the first packet until its agent was back. */
  packetToAgent: usualSecondsSchema.nullable(),
  deployments: z.record(
    z.string(),
    z.object({
      /** From its agent's return until the model was ready. */
      agentToReady: usualSecondsSchema.nullable(),
      /** From the wish until the model was ready. */
      total: usualSecondsSchema,
    }),
  ),
});
export type WakeTimes = z.infer<typeof wakeTimesSchema>;

export const NO_WAKE_TIMES: WakeTimes = { packetToAgent: null, deployments: {} };

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
  wakeTimes: wakeTimesSchema,
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
  wakeTimes: NO_WAKE_TIMES,
};
