import type { WakePhase } from '../../live/host-power.js';

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
  for (const deployment of new Set(wakes.flatMap(({ readyAt }) => Object.keys(readyAt)))) {
    const found = quantiles(wakes.map(({ readyAt }) => readyAt[deployment]));
    if (found) ready[deployment] = found;
  }
  return { phases, ready };
}

export interface ReadyFacts {
  readonly usual: UsualTimes;
  readonly deployment: string;
  /** Whether its weights are on the host's disk. `null`: not known. */
  readonly isCached: boolean | null;
  /** How long its load usually takes, as its agent counts; `null`: not told. */
  readonly usualLoadSeconds: number | null;
}

/** An engine that only gave its card back. */
const GUESSED_UNPARK_S = 15;

/** The same of a machine that is on, with parked engines. */
export function unparkSeconds(usual: UsualTimes, deployment: string): number {
  const known = usual.ready[deployment];
  return known ? Math.round(known.p50Ms / 1000) : GUESSED_UNPARK_S;
}

/** Seconds from the wish to a ready model: as usual, or by a guess. */
export function readySeconds({ usual, deployment, isCached, usualLoadSeconds }: ReadyFacts): number {
  const known = usual.ready[deployment];
  if (known) return Math.round(known.p50Ms / 1000);
  const backMs = usual.phases.agent_back?.p50Ms;
  const backSeconds = backMs === undefined ? GUESSED_AGENT_BACK_S : Math.round(backMs / 1000);
  return backSeconds + (usualLoadSeconds ?? GUESSED_LOAD_S) + (isCached === false ? GUESSED_FETCH_S : 0);
}

function quantiles(values: readonly (number | undefined)[]): Quantiles | null {
  const sorted = values.filter((value) => value !== undefined).sort((one, other) => one - other);
  if (sorted.length === 0) return null;
  return { p50Ms: nearestRank(sorted, 0.5), p95Ms: nearestRank(sorted, 0.95), count: sorted.length };
}

function nearestRank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
