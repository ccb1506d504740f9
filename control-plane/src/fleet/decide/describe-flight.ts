import type { WakePhase } from '../../live/host-power.js';
import { untilReadyMs } from '../../live/until-ready.js';
import { expectReady } from './expect-ready.js';
import { type FlightState, nextPhase, WAKE_PHASES } from './step-flight.js';
import type { ReadyTimes, UsualTimes } from './usual-times.js';

const REACHED: Readonly<Record<WakePhase, string>> = {
  packet_sent: 'packets sent',
  answers: 'the machine answers',
  agent_back: 'agent back',
  engine_up: 'engine up',
  model_ready: 'model ready',
};

/** Phases that are behind it within a moment, or seldom seen: not worth waiting for aloud. */
const UNTOLD: ReadonlySet<WakePhase> = new Set(['packet_sent', 'answers']);

/**
 * Where a wake is, as people are told: "agent back after 34 s, usually 31 s; model ready in about 48 s".
 *
 * @param ready as usual or guessed, from the wish; `null`: no model is waited for
 */
export function describeFlight(
  state: FlightState,
  usual: UsualTimes,
  ready: ReadyTimes | null,
  atMs: number,
): string {
  const last = WAKE_PHASES.findLast((phase) => state.reached[phase] !== undefined);
  if (last === undefined) return withOutlook('waking', state, usual, ready, atMs);
  const afterMs = state.reached[last] ?? 0;
  const usualMs = UNTOLD.has(last) ? undefined : usual.phases[last]?.p50Ms;
  const after = last === 'packet_sent' ? '' : ` after ${seconds(afterMs)}`;
  const told = `${REACHED[last]}${after}${usualMs === undefined ? '' : `, usually ${seconds(usualMs)}`}`;
  return withOutlook(told, state, usual, ready, atMs);
}

function withOutlook(
  told: string,
  state: FlightState,
  usual: UsualTimes,
  ready: ReadyTimes | null,
  atMs: number,
): string {
  const outlook = [...nextStop(state, usual, atMs)];
  if (ready !== null && state.name !== 'ended') {
    const { usuallyMs, latestMs } = expectReady(state, usual, ready, atMs);
    const leftMs = untilReadyMs({ usuallyAtMs: usuallyMs, latestAtMs: latestMs }, atMs);
    const when = atMs < usuallyMs ? 'in about' : 'later than usual, perhaps in';
    outlook.push(`model ready ${when} ${seconds(leftMs)}`);
  }
  return [told, ...outlook].join('; ');
}

/** What comes next before the model, where it is known how long that takes. */
function nextStop(state: FlightState, usual: UsualTimes, atMs: number): readonly string[] {
  const next = nextPhase(state);
  const awaited = UNTOLD.has(next) || next === 'agent_back' ? 'agent_back' : null;
  const usualMs = awaited === null ? undefined : usual.phases[awaited]?.p50Ms;
  if (awaited === null || usualMs === undefined || state.name !== 'calling') return [];
  const leftMs = usualMs - atMs;
  return [
    leftMs > 0 ? `agent back in about ${seconds(leftMs)}` : `agent usually back after ${seconds(usualMs)}`,
  ];
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))} s`;
}
