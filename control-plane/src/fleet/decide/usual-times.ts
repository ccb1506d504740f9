import type { UsualSeconds, WakePhase, WakeTimes } from '../../live/host-power.js';

/** One wake that led to a ready model. Milliseconds since the wish. */
export interface PastWake {
  readonly phases: Readonly<Partial<Record<WakePhase, number>>>;
  readonly readyAt: Readonly<Record<string, number>>;
}

export interface Quantiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Of so many wakes. */
  readonly count: number;
}

export interface UsualTimes {
  readonly phases: Readonly<Partial<Record<WakePhase, Quantiles>>>;
  /** By deployment. */
  readonly ready: Readonly<Record<string, Quantiles>>;
  /** The same, as people are told. */
  readonly told: WakeTimes;
}

/** Of a host that was never woken: from the wish until its agent is back, and until a model on its disk is loaded. */
const GUESSED_AGENT_BACK_S = 45;
const GUESSED_LOAD_S = 90;
/** Until a model whose weights are still to be fetched is ready. */
const GUESSED_FETCH_S = 900;

/** @param wakes of one host, those that count */
export function usualTimes(wakes: readonly PastWake[]): UsualTimes {
  const phases: Partial<Record<WakePhase, Quantiles>> = {};
  const ready: Record<string, Quantiles> = {};
  for (const phase of ['packet_sent', 'answers', 'agent_back', 'engine_up', 'model_ready'] as const) {
    const found = quantiles(wakes.map((wake) => wake.phases[phase]));
    if (found) phases[phase] = found;
  }
  const deployments: WakeTimes['deployments'] = {};
  for (const deployment of new Set(wakes.flatMap(({ readyAt }) => Object.keys(readyAt)))) {
    const found = quantiles(wakes.map(({ readyAt }) => readyAt[deployment]));
    if (found === null) continue;
    ready[deployment] = found;
    const loads = wakes.map(({ phases: { agent_back }, readyAt }) => spanOf(agent_back, readyAt[deployment]));
    deployments[deployment] = { agentToReady: inSeconds(quantiles(loads)), total: inSeconds(found) };
  }
  const calls = wakes.map(({ phases: { packet_sent, agent_back } }) => spanOf(packet_sent, agent_back));
  return { phases, ready, told: { packetToAgent: inSeconds(quantiles(calls)), deployments } };
}

function spanOf(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : Math.max(0, toMs - fromMs);
}

function inSeconds(found: Quantiles): UsualSeconds;
function inSeconds(found: Quantiles | null): UsualSeconds | null;
function inSeconds(found: Quantiles | null): UsualSeconds | null {
  if (found === null) return null;
  const { p50Ms, p95Ms, count } = found;
  return { p50: tenths(p50Ms), p95: tenths(p95Ms), wakes: count };
}

function tenths(ms: number): number {
  return Math.round(ms / 100) / 10;
}

export interface ReadyFacts {
  readonly usual: UsualTimes;
  readonly deployment: string;
  /** Whether its weights are on the host's disk. `null`: not known. */
  readonly isCached: boolean | null;
  /** How long its starts took that were seen, without a wake; `null`: none was. */
  readonly usualLoadSeconds: number | null;
}

/** From the wish to a ready model, in milliseconds. What was never seen is guessed, and both are the same. */
export interface ReadyTimes {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** An engine that only gave its card back. */
const GUESSED_UNPARK_S = 15;

/** The same of a machine that is on, with parked engines. */
export function unparkTimes(usual: UsualTimes, deployment: string): ReadyTimes {
  return usual.ready[deployment] ?? guessed(GUESSED_UNPARK_S);
}

/** As usual, or by a guess from what is known. */
export function readyTimes({ usual, deployment, isCached, usualLoadSeconds }: ReadyFacts): ReadyTimes {
  const known = usual.ready[deployment];
  const fetchMs = isCached === false ? GUESSED_FETCH_S * 1000 : 0;
  if (known) return { p50Ms: known.p50Ms + fetchMs, p95Ms: known.p95Ms + fetchMs };
  const backMs = usual.phases.agent_back?.p50Ms;
  const backSeconds = backMs === undefined ? GUESSED_AGENT_BACK_S : backMs / 1000;
  return guessed(backSeconds + (usualLoadSeconds ?? GUESSED_LOAD_S) + fetchMs / 1000);
}

function guessed(seconds: number): ReadyTimes {
  return { p50Ms: seconds * 1000, p95Ms: seconds * 1000 };
}

function quantiles(values: readonly (number | undefined)[]): Quantiles | null {
  const sorted = values.filter((value) => value !== undefined).sort((one, other) => one - other);
  if (sorted.length === 0) return null;
  return { p50Ms: nearestRank(sorted, 0.5), p95Ms: nearestRank(sorted, 0.95), count: sorted.length };
}

function nearestRank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
