export interface OutboxState {
  /** Samples that wait, and the newest of them; `null`: none. */
  readonly waiting: number;
  readonly newestWaitingAtMs: number | null;
  /** The newest sample that was sent as live, on any link. */
  readonly newestLiveAtMs: number;
  /** Something other than telemetry is to be told. */
  readonly hasNews: boolean;
  readonly backfillsUnderway: number;
  readonly nowMs: number;
}

export type ReportPlan =
  /** The newest sample, with all other news. */
  | 'live'
  /** News alone. */
  | 'news'
  /** The oldest samples that wait. */
  | 'backfill'
  | 'nothing';

/** An older sample does not tell what is, but what was. */
const LIVE_MS = 5_000;

/**
 * The control plane acknowledges once a second and takes 200 frames of 4 KiB a second over a long time: this many
 * backfills on their way bring back an hour in ten seconds and leave it room for the rest.
 */
const MAX_BACKFILLS_UNDERWAY = 8;

/** What to send next. What is comes before what was: a backfill never delays the present. */
export function planReport(state: OutboxState): ReportPlan {
  const { newestWaitingAtMs, newestLiveAtMs, nowMs } = state;
  const isLive =
    newestWaitingAtMs !== null && newestWaitingAtMs > newestLiveAtMs && nowMs - newestWaitingAtMs <= LIVE_MS;
  if (isLive) return 'live';
  if (state.hasNews) return 'news';
  return state.waiting > 0 && state.backfillsUnderway < MAX_BACKFILLS_UNDERWAY ? 'backfill' : 'nothing';
}
