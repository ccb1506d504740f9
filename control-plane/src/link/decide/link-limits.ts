import type { BucketPolicy } from './take-token.js';

/** From the challenge to the hello. */
export const HELLO_DEADLINE_MS = 5_000;

/** How long an incumbent may take to prove that it is alive when a second agent comes with its key. */
export const PROBE_DEADLINE_MS = 2_000;

/** Newcomers that wait for one incumbent's sign; more are refused at once. */
export const MAX_RIVALS = 4;

/** An `identity_in_use` that nobody repeats for this long clears by itself. */
export const CONFLICT_CLEARS_AFTER_MS = 3_600_000;

/** At most one ack a second and link between heartbeats. */
export const ACK_INTERVAL_MS = 1_000;

/** Links that have not said who they are yet; more are answered 503 before they cost a handshake. */
export const MAX_UNPROVEN_LINKS = 2_048;

/** What is sent and not taken by the network. An agent gets acks and commands alone: more means that it stands still. */
export const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Refused hellos of one address: 20 at once, then one in three seconds. */
export const FAILURE_POLICY: BucketPolicy = { burst: 20, perSecond: 1 / 3 };

/**
 * Frames of one link. A frame costs 1 and 1 more for each 4 KiB: a report of a second costs little more than 1, a
 * backfill of an hour at one sample a second some 400.
 */
export const FRAME_POLICY: BucketPolicy = { burst: 2_000, perSecond: 200 };

export function frameCost(sizeBytes: number): number {
  return 1 + sizeBytes / 4_096;
}

/** One line for each address in this time; the rest is counted. */
export const LOG_AGAIN_AFTER_MS = 10_000;

/** How long an agent has for `apply_desired`. */
export const APPLY_DESIRED_TTL_MS = 60_000;

/** Commands of one host that have no outcome yet. */
export const MAX_PENDING_COMMANDS = 16;

/** How often the registry is told that a linked host was seen. */
export const SEEN_INTERVAL_MS = 10_000;
