/** The largest frame either side decodes, in bytes of UTF-8. A report of 32 cards and 64 replicas takes under 40 kB. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** Samples in one report: a backfill is sent in several. */
export const MAX_SAMPLES_PER_REPORT = 60;

/** How often either side pings, and how long it waits for a sign of life before the link counts as dead. */
export const HEARTBEAT_INTERVAL_MS = 5_000;
export const PONG_DEADLINE_MS = 6_000;

/** Without any frame or pong for this long a host is `late`, then `offline`. */
export const LATE_AFTER_MS = 12_000;
export const OFFLINE_AFTER_MS = 30_000;

/** The agent's path on the control plane's TLS listener. */
export const LINK_PATH = '/agent/v1/link';
