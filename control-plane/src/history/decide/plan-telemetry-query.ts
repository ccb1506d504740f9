import type { PointGrid } from './point-table.js';
import { type Tier, tiers } from './tiers.js';

/** More points than a screen has pixels help nobody, and cost everybody. */
export const MAX_POINTS = 2_000;
/** How many are aimed at where no step was asked for. */
const USUAL_POINTS = 600;
/** How far back samples themselves are in memory. */
export const MEMORY_MS = 15 * 60_000;
const DEFAULT_RANGE_MS = MEMORY_MS;
const STEP_MS = 1_000;
/** Agents report every second or two: finer steps would be mostly empty. */
const USUAL_SAMPLE_STEP_MS = 2_000;

export interface TelemetryRange {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly stepMs: number | null;
}

export type TelemetryPlan =
  | {
      readonly ok: true;
      /** `samples`: of the last 15 minutes, in memory. */
      readonly source: 'samples' | Tier;
      readonly grid: PointGrid;
      readonly fromMs: number;
      readonly toMs: number;
      /** What was asked for and is not answered as asked, in words. */
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly detail: string; readonly fix: string };

/**
 * From where, and in which steps, a question for telemetry is answered: the finest resolution that reaches back so far
 * and is no finer than the step. Steps begin at whole multiples since 1970, so that no bucket lies across two points.
 *
 * @param memorySinceMs since when this process has seen every sample
 */
export function planTelemetryQuery(
  asked: TelemetryRange,
  nowMs: number,
  memorySinceMs: number,
): TelemetryPlan {
  const askedToMs = Math.min(asked.toMs ?? nowMs, nowMs);
  const askedFromMs = asked.fromMs ?? askedToMs - DEFAULT_RANGE_MS;
  if (askedFromMs > (asked.toMs ?? nowMs)) return refuse('"from" is after "to"', 'swap them');
  if (askedFromMs > nowMs) return refuse('"from" lies in the future', 'ask for a time that has passed');
  const oldestMs = nowMs - tiers[2].keepMs;
  const notes: string[] = [];
  const fromMs = Math.max(askedFromMs, oldestMs);
  const toMs = Math.max(askedToMs, fromMs);
  if (askedFromMs < oldestMs) {
    notes.push(
      `telemetry is kept for ${tiers[2].keepMs / 86_400_000} days: what was asked for before that is left out`,
    );
  }
  const rangeMs = Math.max(1, toMs - fromMs);
  const { stepMs: askedStepMs } = asked;
  if (askedStepMs !== null && rangeMs / askedStepMs > MAX_POINTS) {
    const points = Math.ceil(rangeMs / askedStepMs);
    const leastSeconds = Math.ceil(rangeMs / MAX_POINTS / STEP_MS);
    return refuse(
      `that would be ${points} points; at most ${MAX_POINTS} are answered`,
      `ask for a step of at least ${leastSeconds} s, for a shorter range, or leave the step out`,
    );
  }
  const source = chooseSource(
    fromMs,
    askedStepMs ?? rangeMs / USUAL_POINTS,
    askedStepMs !== null,
    nowMs,
    memorySinceMs,
  );
  const unitMs = source === 'samples' ? STEP_MS : source.stepMs;
  const usualMs =
    source === 'samples' ? Math.max(USUAL_SAMPLE_STEP_MS, rangeMs / USUAL_POINTS) : rangeMs / USUAL_POINTS;
  const stepMs = Math.max(1, Math.ceil((askedStepMs ?? usualMs) / unitMs)) * unitMs;
  if (askedStepMs !== null && stepMs !== askedStepMs) {
    const kept = source === 'samples' ? 'whole seconds' : `steps of ${source.name}`;
    notes.push(`what is kept of that time is in ${kept}: the step is ${stepMs / STEP_MS} s`);
  }
  if (source === 'samples' && fromMs < memorySinceMs) {
    const since = new Date(memorySinceMs).toISOString();
    notes.push(
      `single samples are in memory alone, since ${since}: of before that ask for a step of a minute`,
    );
  }
  const startMs = Math.floor(fromMs / stepMs) * stepMs;
  const count = Math.floor((toMs - startMs) / stepMs) + 1;
  return { ok: true, source, grid: { startMs, stepMs, count }, fromMs, toMs, notes };
}

function chooseSource(
  fromMs: number,
  wantedStepMs: number,
  stepIsAsked: boolean,
  nowMs: number,
  memorySinceMs: number,
): 'samples' | Tier {
  const inMemory = fromMs >= nowMs - MEMORY_MS && wantedStepMs < tiers[0].stepMs;
  // After a restart the registry reaches further back than memory; who asked for seconds gets what there is of them.
  if (inMemory && (stepIsAsked || fromMs >= memorySinceMs)) return 'samples';
  const reaching = tiers.filter((tier) => fromMs >= nowMs - tier.keepMs);
  const coarseEnough = reaching.filter((tier) => tier.stepMs <= wantedStepMs);
  return coarseEnough.at(-1) ?? reaching[0] ?? tiers[2];
}

function refuse(detail: string, fix: string): TelemetryPlan {
  return { ok: false, detail, fix };
}
