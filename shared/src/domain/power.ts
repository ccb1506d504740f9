import { z } from 'zod';
import { powerVerbSchema } from './agent-policy.js';

const measured = z.number().nullable();

/** Whether an interface wakes its machine on a magic packet. `null`: it could not be told. */
export const wakeArmingSchema = z.object({
  supported: z.boolean().nullable(),
  armed: z.boolean().nullable(),
  /** What was read, in words: `Wake-on: g`, or why nothing could be. */
  detail: z.string().max(200).nullable(),
});
export type WakeArming = z.infer<typeof wakeArmingSchema>;

/** What a machine can do with its power, and what would keep it from being woken. */
export const hostPowerFactsSchema = z.object({
  /** What the machine can do and its owner allows. */
  verbs: z.array(powerVerbSchema).max(8),
  /** As the system names them: `mem`, `disk`; `S3`, `S4`. */
  sleepStates: z.array(z.string().max(40)).max(16),
  /** Windows: such a machine wakes on no magic packet. */
  modernStandby: z.boolean().nullable(),
  /** Windows: `HiberbootEnabled` is 1. What its user calls a shutdown is then no state that a packet ends. */
  fastStartup: z.boolean().nullable(),
  onBattery: z.boolean().nullable(),
  /** Windows: somebody is signed in by the system itself when it starts. Left out, nobody looked. */
  autoLogon: z.boolean().nullable().optional(),
});
export type HostPowerFacts = z.infer<typeof hostPowerFactsSchema>;

/**
 * Whose the card is. `serving`: the fabric's; `yielding`: requests that run are finished for a while, then the card is
 * freed; `yielded`: it is its owner's.
 */
export const yieldStateSchema = z.enum(['serving', 'yielding', 'yielded']);
export type YieldState = z.infer<typeof yieldStateSchema>;

/** Who wants the card: what runs on it, an operator, or the owner at the workstation. */
export const yieldCauseSchema = z.enum(['foreign_use', 'operator', 'owner']);
export type YieldCause = z.infer<typeof yieldCauseSchema>;

/** The owner of a host, and their claim to its cards. Sent whenever anything but a number in it changes. */
export const ownerReportSchema = z.object({
  state: yieldStateSchema,
  cause: yieldCauseSchema.nullable(),
  /** In words: what was seen. */
  detail: z.string().max(300).nullable(),
  /** How long it has been in this state, when this was sent. */
  stateSeconds: z.number(),
  /** From "the owner wants it" to "the cards are free", the last time; `null`: never yet, or under way. */
  freedSeconds: measured,
  /** Of others, above what the desktop usually takes. */
  foreignVramBytes: measured,
  foreignUtilisationRatio: measured,
  /** Somebody is at the machine: signed in, and not idle for long. `null`: it cannot be told. */
  present: z.boolean().nullable(),
  remoteSession: z.boolean().nullable(),
  /** Names of processes of others on the cards, where the system tells. */
  processes: z.array(z.string().max(80)).max(8),
});
export type OwnerReport = z.infer<typeof ownerReportSchema>;

/** How a host yields to its owner, as declared. */
export const yieldSettingsSchema = z.strictObject({
  /** Whether foreign use of a card is a claim to it. */
  automatic: z.boolean(),
  /** Requests that run may finish for so long. */
  drainSeconds: z.number().min(0).max(600),
  /** `park`: the container stays; `stop`: it ends. */
  action: z.enum(['park', 'stop']),
  /** Back after so long without foreign use. */
  quietSeconds: z.number().min(1).max(86_400),
  /** Of others, above the desktop's own, that count as use. */
  vramBytes: z.number().min(0),
  utilisationRatio: z.number().min(0).max(1),
});
export type YieldSettings = z.infer<typeof yieldSettingsSchema>;

/** A volley of magic packets that an awake agent sends for a sleeping neighbour on its LAN. */
export const magicPacketOrderSchema = z.strictObject({
  wakeId: z.string().min(1).max(64),
  /** MACs of the sleeping host's interfaces on that LAN. */
  macs: z
    .array(z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/))
    .min(1)
    .max(8),
  /** Names the LAN: from the interfaces that have this gateway it is sent. `null`: from all physical ones. */
  gatewayMac: z.string().max(17).nullable(),
  /** The sleeping host's last addresses, without prefix: a unicast goes there too. */
  addresses: z.array(z.string().max(64)).max(8),
  ports: z.array(z.int().min(1).max(65_535)).min(1).max(4),
});
export type MagicPacketOrder = z.infer<typeof magicPacketOrderSchema>;
