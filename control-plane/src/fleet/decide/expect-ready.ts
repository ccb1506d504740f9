import type { WakePhase } from '../../live/host-power.js';
import { lateByMs } from '../../live/until-ready.js';
import type { FlightState } from './step-flight.js';
import type { Quantiles, ReadyTimes, UsualTimes } from './usual-times.js';

/** When a model is expected, milliseconds since the wish: by p50, and by p95. */
export interface ReadyOutlook {
  readonly usuallyMs: number;
  readonly latestMs: number;
}

/** Phases that tell how a wake gets on. The others are behind it within a moment, or seldom seen. */
const TELLING: readonly WakePhase[] = ['agent_back', 'engine_up'];

/**
 * When a model of a wake that is under way is expected: what came late or early so far moves all that follows, and what is
 * overdue is on its way from now on.
 *
 * @param ready from the wish, as usual or guessed
 * @param atMs since the wish
 */
export function expectReady(
  state: FlightState,
  usual: UsualTimes,
  ready: ReadyTimes,
  atMs: number,
): ReadyOutlook {
  const fromMs = calledFromMs(state, atMs);
  const seen = (phase: WakePhase) => state.reached[phase] !== undefined;
  const last = TELLING.findLast((phase) => seen(phase) && usual.phases[phase] !== undefined);
  const from = last === undefined ? START : (usual.phases[last] ?? START);
  const sinceMs = last === undefined ? fromMs : (state.reached[last] ?? fromMs);
  const moved = ({ p50Ms, p95Ms }: ReadyTimes): ReadyOutlook => {
    const usuallyMs = Math.max(sinceMs, sinceMs + p50Ms - from.p50Ms);
    return { usuallyMs, latestMs: Math.max(usuallyMs, sinceMs + p95Ms - from.p95Ms) };
  };
  const outlook = moved(ready);
  const next = TELLING.find((phase) => !seen(phase) && !isBehind(state, phase));
  const awaited = next === undefined ? undefined : usual.phases[next];
  if (awaited === undefined) return outlook;
  const due = moved(awaited);
  if (atMs < due.usuallyMs) return outlook;
  const comesMs = atMs < due.latestMs ? due.latestMs : atMs + lateByMs(atMs - due.usuallyMs);
  const usuallyMs = Math.max(outlook.usuallyMs, comesMs + left(ready.p50Ms, awaited.p50Ms));
  return {
    usuallyMs,
    latestMs: Math.max(usuallyMs, outlook.latestMs, comesMs + left(ready.p95Ms, awaited.p95Ms)),
  };
}

const START: Pick<Quantiles, 'p50Ms' | 'p95Ms'> = { p50Ms: 0, p95Ms: 0 };

/** One that is still on its way to sleep has all of it before it; one that went again was called anew. */
function calledFromMs({ name, callsFromMs }: FlightState, atMs: number): number {
  if (Number.isFinite(callsFromMs)) return callsFromMs;
  return name === 'calling' ? atMs : 0;
}

function isBehind({ reached }: FlightState, phase: WakePhase): boolean {
  return reached.model_ready !== undefined || (phase === 'agent_back' && reached.engine_up !== undefined);
}

function left(readyMs: number, phaseMs: number): number {
  return Math.max(0, readyMs - phaseMs);
}
