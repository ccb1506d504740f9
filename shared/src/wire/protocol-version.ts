/**
 * One integer says what a peer can do. A step is never edited or removed; a new ability is a new step.
 *
 * - 1 · 2026-11-23 · challenge, hello with key proof, welcome, report, ack, command (`apply_desired`), outcome, goodbye.
 */
export const PROTOCOL_VERSION = 1;

/** The oldest agent that this program still speaks with. */
export const OLDEST_PROTOCOL_VERSION = 1;
