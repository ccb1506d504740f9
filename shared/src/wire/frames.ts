import { z } from 'zod';
import { powerVerbSchema } from '../domain/agent-policy.js';
import { hostInventorySchema } from '../domain/host.js';
import { issueSchema } from '../domain/issue.js';
import { nameSchema } from '../domain/names.js';
import { magicPacketOrderSchema, ownerReportSchema, yieldSettingsSchema } from '../domain/power.js';
import { desiredReplicaSchema, orphanSchema, replicaStatusSchema } from '../domain/replica.js';
import { telemetryDeltaSchema } from '../domain/telemetry.js';
import { upgradeReportSchema } from '../domain/upgrade.js';
import { MAX_SAMPLES_PER_REPORT } from './limits.js';

const idSchema = z.string().min(1).max(64);
const base64Schema = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9+/_=-]*$/);

function envelope<Type extends string, Body extends z.ZodType>(type: Type, body: Body) {
  return z.object({ id: idSchema, type: z.literal(type), sentAtMs: z.number(), body });
}

/** Why a link ends, said by either side before it closes. See `closeCodes` for the WebSocket code of each. */
export const goodbyeReasonSchema = z.enum([
  'service_stop',
  'restart',
  'shutdown',
  'suspend',
  'superseded',
  'slow_consumer',
  'protocol_error',
  'protocol_too_old',
  'proof_failed',
  'unknown_host',
  'revoked',
  'token_unknown',
  'token_used',
  'token_expired',
  'identity_in_use',
  'machine_mismatch',
  'name_taken',
  'hello_timeout',
  'heartbeat_lost',
  'rate_limited',
  /** The control plane cannot tell now who this is (its registry is busy or full): try again. */
  'unavailable',
  'joined',
]);
export type GoodbyeReason = z.infer<typeof goodbyeReasonSchema>;

const goodbyeSchema = z.object({
  reason: goodbyeReasonSchema,
  /** In words, with the fix where there is one. */
  detail: z.string().max(500),
});

/** First frame of a connection, from the control plane: what the agent must sign. */
export const challengeFrameSchema = envelope(
  'challenge',
  z.object({ nonce: base64Schema.min(16), protocolVersion: z.int().min(1) }),
);

/** The agent's answer: who it is, and the proof. With a join token it enrols; without, it must be known. */
export const helloFrameSchema = envelope(
  'hello',
  z.object({
    protocolVersion: z.int().min(1),
    agentVersion: z.string().max(40),
    /** Of the sources that it was built from. Left out where that is not known, or by an older agent. */
    commit: z.string().max(64).optional(),
    /** A single executable of a release; left out by an older agent. */
    packaged: z.boolean().optional(),
    /** Ed25519 public key, DER SPKI, base64. */
    publicKey: base64Schema.min(40),
    /** Ed25519 over `keyProofText(...)`, base64. */
    proof: base64Schema.min(40),
    hostName: nameSchema,
    /** SHA-256 of the operating system's machine id: tells a moved key from a restarted agent. */
    machineSha256: z.string().regex(/^[0-9a-f]{64}$/),
    bootId: z.string().max(80),
    /** Random per agent process: tells a reconnect from a second agent. */
    instanceId: idSchema,
    joinToken: z.string().max(256).optional(),
  }),
);

export const welcomeFrameSchema = envelope(
  'welcome',
  z.object({
    hostId: idSchema,
    hostName: nameSchema,
    protocolVersion: z.int().min(1),
    serverTimeMs: z.number(),
  }),
);

/** What an agent says about its host. Every part is optional: absent is unchanged. */
export const reportFrameSchema = envelope(
  'report',
  z.object({
    /** Rises by one per report of this agent process, across links. */
    seq: z.int().min(1),
    inventory: hostInventorySchema.optional(),
    /** In order of time; each a difference to the one before it on this link. */
    telemetry: z.array(telemetryDeltaSchema).max(MAX_SAMPLES_PER_REPORT).optional(),
    /** True when `telemetry` was buffered while the link was down. */
    backfill: z.boolean().optional(),
    /** All replicas, whenever any of them changed. */
    replicas: z.array(replicaStatusSchema).max(64).optional(),
    /** All containers that carry our label and that nothing declares, whenever any of them changed. */
    orphans: z.array(orphanSchema).max(64).optional(),
    /** All open issues, whenever any of them changed. */
    issues: z.array(issueSchema).max(64).optional(),
    /** Whenever anything in it but a number changed. */
    owner: ownerReportSchema.optional(),
    /** Whenever it changed. `null`: none is offered, under way or just ended. */
    upgrade: upgradeReportSchema.nullable().optional(),
    /** Samples dropped from the agent's buffer since its start. */
    droppedSamples: z.int().min(0).optional(),
  }),
);
export type Report = z.infer<typeof reportFrameSchema>['body'];

/**
 * Every report up to `seq` that was sent on this link has been taken in; the agent may forget them. It says nothing
 * of an earlier link's: what was not acknowledged there is sent again.
 */
export const ackFrameSchema = envelope('ack', z.object({ seq: z.int().min(0) }));

/** Unknown fields of a command are refused, not stripped: half a command is worse than none. */
export const commandSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('apply_desired'),
    /** Rises with every change of the declared state. */
    revision: z.int().min(0),
    replicas: z.array(desiredReplicaSchema).max(64),
  }),
  /** Ends and removes containers that carry our label and that nothing declares; any other is left alone. */
  z.strictObject({
    name: z.literal('remove_orphans'),
    containerIds: z.array(orphanSchema.shape.containerId).min(1).max(64),
  }),
  /** How the host yields to its owner. The latest holds. */
  z.strictObject({ name: z.literal('apply_yield_settings'), settings: yieldSettingsSchema }),
  /** An operator gives the cards to the host's owner, or takes that back; what the owner said at the host stays. */
  z.strictObject({ name: z.literal('yield') }),
  z.strictObject({ name: z.literal('unyield') }),
  /** Wakes a neighbour. Done when it is sent, whatever comes of it. */
  z.strictObject({ name: z.literal('send_magic_packets'), order: magicPacketOrderSchema }),
  /** The machine must not go to sleep by itself for so long; 0 lets it. Each replaces the one before. */
  z.strictObject({ name: z.literal('hold_awake'), seconds: z.int().min(0).max(3_600) }),
  /**
   * Drains, then stops the engines or parks them, says goodbye, and acts. Void on another link, and on another boot than
   * the one it names: what was asked yesterday must not end what runs today.
   */
  z.strictObject({
    name: z.literal('power'),
    verb: powerVerbSchema,
    bootId: z.string().max(80),
    /** Requests that run may finish for so long. */
    drainSeconds: z.number().min(0).max(600),
    reason: z.string().max(200),
  }),
  /** Frees the cards and keeps the machine on: engines are parked, or stopped where they cannot be; until `unpark`. */
  z.strictObject({ name: z.literal('park'), drainSeconds: z.number().min(0).max(600) }),
  z.strictObject({ name: z.literal('unpark') }),
  /**
   * A newer agent lies under `/install/` of the control plane that says this. Its owner's settings say what comes of it;
   * done when it is offered to them, or begun. The manifest with that SHA-256 and no other is meant.
   */
  z.strictObject({
    name: z.literal('offer_upgrade'),
    version: z.string().min(1).max(40),
    manifestSha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
]);
export type Command = z.infer<typeof commandSchema>;
export type CommandOf<Name extends Command['name']> = Extract<Command, { name: Name }>;

export const commandFrameSchema = envelope(
  'command',
  z.strictObject({
    commandId: idSchema,
    /** How long after its arrival the command may still be begun. */
    ttlMs: z.int().min(1),
    command: commandSchema,
  }),
);

export const outcomeFrameSchema = envelope(
  'outcome',
  z.object({
    commandId: idSchema,
    result: z.enum(['done', 'failed', 'refused', 'expired']),
    /** A code for `failed` and `refused`. */
    code: z.string().max(60).nullable(),
    detail: z.string().max(500).nullable(),
  }),
);
export type Outcome = z.infer<typeof outcomeFrameSchema>['body'];

export const goodbyeFrameSchema = envelope('goodbye', goodbyeSchema);

/** What an agent may send. */
export const agentFrameSchema = z.discriminatedUnion('type', [
  helloFrameSchema,
  reportFrameSchema,
  outcomeFrameSchema,
  goodbyeFrameSchema,
]);
export type AgentFrame = z.infer<typeof agentFrameSchema>;

/** What the control plane may send. */
export const serverFrameSchema = z.discriminatedUnion('type', [
  challengeFrameSchema,
  welcomeFrameSchema,
  ackFrameSchema,
  commandFrameSchema,
  goodbyeFrameSchema,
]);
export type ServerFrame = z.infer<typeof serverFrameSchema>;

/** The body of one type of frame of either direction. */
export type FrameBody<Frame extends { type: string; body: unknown }, Type extends Frame['type']> = Extract<
  Frame,
  { type: Type }
>['body'];
