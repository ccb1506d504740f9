import { z } from 'zod';

/** When a deployment is expected to be ready by a wake that is under way. On the server's clock. */
export const expectedReadySchema = z.object({
  /** As usual (p50), moved by what came late or early so far. */
  usuallyAtMs: z.number(),
  /** The same by p95. */
  latestAtMs: z.number(),
});
export type ExpectedReady = z.infer<typeof expectedReadySchema>;

/** A second host is woken beside one that is on its way only where it is ready so much sooner. */
export const SECOND_WAKE_SAVES_MS = 60_000;

/** What is late is expected to be late for as long again: at least this, and no longer than that. */
const LEAST_LATE_MS = 10_000;
const MOST_LATE_MS = 300_000;

/**
 * What is left until it is ready: by p50, once that is past by p95, and after that as long again as it is late.
 *
 * @param nowMs of the server's clock
 * @returns milliseconds, never less than 0
 */
export function untilReadyMs({ usuallyAtMs, latestAtMs }: ExpectedReady, nowMs: number): number {
  if (nowMs < usuallyAtMs) return usuallyAtMs - nowMs;
  if (nowMs < latestAtMs) return latestAtMs - nowMs;
  return lateByMs(nowMs - usuallyAtMs);
}

/** How much longer something takes that is late by so much. Both in milliseconds. */
export function lateByMs(lateMs: number): number {
  return Math.min(MOST_LATE_MS, Math.max(LEAST_LATE_MS, lateMs));
}
