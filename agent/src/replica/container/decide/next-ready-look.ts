/** uvicorn, vLLM's server, ends a connection that was idle for five seconds: a look before that needs no new one. */
const READY_LOOK_MS = 4_500;
/** A look that comes a little before its moment is the one that was meant. */
const SLACK_MS = 100;

/**
 * When a ready replica is looked at next: within 4.6 s, and all replicas of a host at the same moment. Each look by
 * itself wakes the process twice, and for fifty that is what an idle host costs.
 *
 * @param nowMs monotonic
 */
export function nextReadyLookMs(nowMs: number): number {
  return Math.floor((nowMs + READY_LOOK_MS + SLACK_MS) / READY_LOOK_MS) * READY_LOOK_MS;
}
