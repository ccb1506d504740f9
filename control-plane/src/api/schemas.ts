import {
  engineReadingSchema,
  gpuReadingSchema,
  hostInventorySchema,
  hostReadingSchema,
  issueSchema,
  orphanSchema,
  ownerReportSchema,
  taskSchema,
  upgradeReportSchema,
} from '@ai-fabric/shared';
import { z } from '@hono/zod-openapi';
import { LOG_LEVELS } from '../config/control-plane-config.js';
import { CAPABILITIES } from '../declared/declared-state.js';
import { REQUEST_CLASSES } from '../declared/request-class.js';
import { hostPowerSchema } from '../live/host-power.js';
import { shownStatusSchema } from './deployment-schemas.js';

/** A listing. `nextCursor` is `null` on the last page. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

const sampleSchema = z
  .object({
    atMs: z.number(),
    host: hostReadingSchema,
    gpus: z.record(z.string(), gpuReadingSchema),
    replicas: z.record(z.string(), engineReadingSchema),
  })
  .openapi('TelemetrySample');

/** Somebody else has come with the host's key, and was refused. */
const identityConflictSchema = z
  .object({
    kind: z.enum(['another_agent', 'another_key', 'another_machine']),
    /** Address of the host's own agent; `null`: it had no link. */
    linkedFrom: z.string().nullable(),
    triedFrom: z.string(),
    firstTryMs: z.number(),
    lastTryMs: z.number(),
    tries: z.int(),
  })
  .openapi('IdentityConflict');

export const hostSchema = z
  .object({
    name: z.string(),
    hostId: z.string().nullable(),
    /** Declared in fabric.yaml, or only joined. */
    declared: z.boolean(),
    mayBeAway: z.boolean(),
    presence: z.enum(['online', 'late', 'away', 'unseen']),
    presenceSinceMs: z.number(),
    goodbyeReason: z.string().nullable(),
    lastSeenMs: z.number().nullable(),
    agentVersion: z.string().nullable(),
    /** Of the sources that its agent was built from; `null`: not told since the control plane started. */
    agentCommit: z.string().nullable(),
    /** Its agent is a single executable of a release; `null`: not told since the control plane started. */
    agentPackaged: z.boolean().nullable(),
    /** What its agent speaks; `null`: not linked since the control plane started. */
    protocolVersion: z.int().nullable(),
    peerAddress: z.string().nullable(),
    clockSkewMs: z.number().nullable(),
    draining: z.boolean(),
    /** Its engines can be asked through its agent. */
    tunnelUp: z.boolean(),
    /** Its key is refused since then. */
    revokedAtMs: z.number().nullable(),
    identityConflict: identityConflictSchema.nullable(),
    droppedSamples: z.number(),
    inventory: hostInventorySchema.nullable(),
    sample: sampleSchema.nullable(),
    /** `sinceMs`: first seen, server's clock. */
    issues: z.array(issueSchema.extend({ sinceMs: z.number() })),
    /** Containers with our label on it that nothing declares. */
    orphans: z.array(orphanSchema),
    /** Whose its cards are; `null`: not told since it linked. */
    owner: ownerReportSchema.nullable(),
    /** Server's clock: since when `owner` is in its state. */
    ownerSinceMs: z.number().nullable(),
    power: hostPowerSchema,
    /** How far an upgrade of its agent is, as told on this link; `null`: none. */
    upgrade: upgradeReportSchema.nullable(),
    /** Version of an agent that lies under `/install/` and is newer than its own; `null`: none. */
    newerAgent: z.string().nullable(),
  })
  .openapi('Host');

export const hostDetailSchema = z
  .object({
    ...hostSchema.shape,
    /** `null`: declared, never joined. */
    identity: z
      .object({
        enrolledAtMs: z.number(),
        /** Of the host's public key, DER SPKI. */
        keySha256: z.string(),
        machineSha256: z.string(),
      })
      .nullable(),
    /** Requests of this control plane that run on the host's deployments now. */
    requestsInFlight: z.int(),
    deployments: z.array(
      z.object({
        name: z.string(),
        task: taskSchema,
        servedModel: z.string(),
        /** The roles that may be served by it. */
        roles: z.array(z.string()),
        /** What the agent observes; `null` before the first report. */
        status: shownStatusSchema.nullable(),
      }),
    ),
    /** What happened to it lately, newest first. */
    events: z.array(z.object({ atMs: z.number(), event: z.string(), detail: z.string().nullable() })),
  })
  .openapi('HostDetail');

const capabilitySchema = z.enum(CAPABILITIES);

/** Left out where it asks for nothing. */
const conditionSchema = z
  .object({
    /** Seconds. */
    whenWaitExceeds: z.number().nullable(),
    /** Tokens. */
    maxContext: z.number().nullable(),
    capabilities: z.array(capabilitySchema).nullable(),
    localOnly: z.boolean(),
  })
  .optional();

const targetSchema = z.union([
  z.object({ deployment: z.string(), when: conditionSchema }),
  z.object({ provider: z.string(), model: z.string(), when: conditionSchema }),
]);

export const roleSchema = z
  .object({
    name: z.string(),
    task: taskSchema,
    targets: z.array(targetSchema),
    firstByteTimeoutSeconds: z.number(),
    idleTimeoutSeconds: z.number(),
    dimensions: z.number().nullable(),
    totalTimeoutSeconds: z.number(),
    patienceSeconds: z.number(),
    weights: z.object({ firstToken: z.number(), answer: z.number() }),
    longestPatienceSeconds: z.number().nullable(),
    class: z.enum(REQUEST_CLASSES),
    aliases: z.array(z.string()),
    onAsleep: z.enum(['hold', 'cloud', 'cloudThenLocal', 'refuse']),
    state: z.enum(['ready', 'busy', 'cloud', 'asleep', 'waking', 'away', 'unavailable']),
    servedBy: z.string().nullable(),
    /** Until a host that sleeps or is being woken would serve it, as expected. */
    readyInSeconds: z.number().nullable(),
  })
  .openapi('Role');

export const joinTokenSchema = z
  .object({
    id: z.string(),
    hostName: z.string().nullable(),
    createdAtMs: z.number(),
    expiresAtMs: z.number(),
    state: z.enum(['unused', 'used', 'expired', 'revoked']),
    usedAtMs: z.number().nullable(),
    /** Name of the host that used it. */
    usedByHost: z.string().nullable(),
  })
  .openapi('JoinToken');

export const newJoinTokenSchema = z
  .object({
    /** The only time that the token is shown. */
    token: z.string(),
    id: z.string(),
    hostName: z.string().nullable(),
    expiresAtMs: z.number(),
    certificateSha256: z.string(),
    serverUrls: z.array(z.string()),
    /**
     * To be pasted on the new host: as root or with sudo, and in an elevated PowerShell. Each holds the token. `null`:
     * nothing can be installed from here (of one system: for that one).
     */
    install: z.object({ linux: z.string().nullable(), windows: z.string().nullable() }).nullable(),
  })
  .openapi('NewJoinToken');

/** How backups go that the control plane makes by itself. */
export const backupScheduleSchema = z
  .object({
    /** As it stands in fabric.yaml; `null`: none. */
    schedule: z
      .object({
        directory: z.string(),
        schedule: z.union([z.object({ everyHours: z.number() }), z.object({ cron: z.string() })]),
        keep: z.int(),
        secrets: z.boolean(),
      })
      .nullable(),
    nextAtMs: z.number().nullable(),
    lastSuccess: z.object({ atMs: z.number(), file: z.string(), sizeBytes: z.number() }).nullable(),
    /** Cleared by the next success. */
    lastFailure: z.object({ atMs: z.number(), detail: z.string(), fix: z.string() }).nullable(),
  })
  .openapi('BackupSchedule');

export const auditEntrySchema = z
  .object({
    id: z.int(),
    atMs: z.number(),
    requestId: z.string(),
    /** Who wrote. */
    actor: z.string(),
    operationId: z.string(),
    /** Of the path. */
    params: z.record(z.string(), z.string()),
    /** What was sent, in short and without secrets. */
    body: z.unknown(),
    /** Of the answer; `null`: the control plane ended before it was known. */
    status: z.int().nullable(),
    /** Of the problem that it was answered with. */
    code: z.string().nullable(),
  })
  .openapi('AuditEntry');

export const feedTicketSchema = z
  .object({
    /** The only time that it is shown. */
    ticket: z.string(),
    /** Where the WebSocket is to be opened; filters are added to it. */
    path: z.string(),
    expiresAtMs: z.number(),
  })
  .openapi('FeedTicket');

export const statusSchema = z
  .object({
    version: z.string(),
    protocolVersion: z.int(),
    startedAtMs: z.number(),
    declaredRevision: z.int(),
    /** What `up --config` named differs from the registry, which wins until the file is applied. */
    fabricFileDiffers: z.boolean(),
    linkedHosts: z.int(),
    feedSubscribers: z.int(),
    droppedObservations: z.int(),
    /** Of the request log, since start. */
    droppedRequestRows: z.int(),
    certificateSha256: z.string(),
  })
  .openapi('Status');

export const logLevelSchema = z.strictObject({ level: z.enum(LOG_LEVELS) }).openapi('LogLevel');
