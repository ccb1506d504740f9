import type { Clock, VllmReplica } from '@ai-fabric/shared';
import type { InFlight } from './in-flight.js';

/** Requests in the engine, by its own gauges; `null`: it does not tell. */
export type EngineLoad = (signal: AbortSignal) => Promise<number | null>;

interface DrainTools {
  readonly inFlight: InFlight;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 500;
/** vLLM's gauges are that late (vllm #49538). */
const GAUGE_LAG_MS = 6_000;
/** An engine that does not tell any more is not waited for. */
const SILENT_MS = 3_000;

/**
 * Waits until nobody asks a replica any more, for as long as it is declared. What comes through the tunnel is counted
 * here; what comes directly, only the engine itself knows.
 *
 * @param engineLoad `null`: nobody asks it directly
 * @param signal ends the wait early; it resolves all the same
 */
export async function drainReplica(
  { inFlight, clock }: DrainTools,
  { deployment, drainWithinSeconds }: Pick<VllmReplica, 'deployment' | 'drainWithinSeconds'>,
  engineLoad: EngineLoad | null,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  signal.addEventListener('abort', forward, { once: true });
  if (signal.aborted) stop.abort();
  const timer = clock.after(drainWithinSeconds * 1_000, forward);
  try {
    await inFlight.whenIdle(deployment, stop.signal);
    if (engineLoad !== null) await untilEngineIsIdle(engineLoad, clock, stop.signal);
  } catch (error) {
    // Whoever still asks after that is not waited for.
    if (!stop.signal.aborted) throw error;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', forward);
  }
}

async function untilEngineIsIdle(engineLoad: EngineLoad, clock: Clock, signal: AbortSignal): Promise<void> {
  let idleSinceMs: number | null = null;
  let toldAtMs = clock.monotonicMs();
  while (!signal.aborted) {
    const load = await engineLoad(signal);
    const nowMs = clock.monotonicMs();
    if (load !== null) toldAtMs = nowMs;
    else if (nowMs - toldAtMs >= SILENT_MS) return;
    if (load === 0) idleSinceMs ??= nowMs;
    else if (load !== null) idleSinceMs = null;
    if (idleSinceMs !== null && nowMs - idleSinceMs >= GAUGE_LAG_MS) return;
    await pause(clock, signal);
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(LOOK_EVERY_MS, finish);
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
  });
}
