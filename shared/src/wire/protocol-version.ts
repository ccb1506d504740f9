/**
 * One integer says what a peer can do. A step is never edited or removed; a new ability is a new step.
 *
 * - 1 · 2026-11-23 · challenge, hello with key proof, welcome, report, ack, command (`apply_desired`), outcome, goodbye.
 * - 2 · 2026-11-24 · the readings of an engine have the p50 and p95 of its latencies (`…P50Seconds`, `…P95Seconds`).
 * - 3 · 2026-11-24 · `apply_desired` may ask for containers (`engine: vllm`) and for the tasks `transcription` and
 *   `rerank`; a replica's status tells of its container, progress, fit, growth and drift; reports tell of orphans; the command
 *   `remove_orphans`; the inventory may tell of the owner's policy.
 * - 4 · 2026-11-29 · the issue `container_not_found`; the inventory may tell of the container engine.
 * - 5 · 2026-11-29 · the commands `apply_yield_settings`, `yield`, `unyield`, `send_magic_packets`, `hold_awake`, `power`, `park`
 *   and `unpark`; reports tell of the owner; the inventory may tell of power and of wake arming.
 * - 6 · 2026-11-29 · the hello may tell of the commit and of packaging; the command `offer_upgrade`; reports tell of an upgrade,
 *   the policy of how the owner wants it.
 */
export const PROTOCOL_VERSION = 6;

/** The first agent that keeps containers: an older one refuses a wish for one, and with it all of `apply_desired`. */
export const CONTAINERS_PROTOCOL_VERSION = 3;

/** The first agent that knows of power and of owners: an older one refuses those commands. */
export const POWER_PROTOCOL_VERSION = 5;

/** The first agent that can be offered a newer version of itself. */
export const UPGRADE_PROTOCOL_VERSION = 6;

/** The oldest agent that this program still speaks with. */
export const OLDEST_PROTOCOL_VERSION = 1;
