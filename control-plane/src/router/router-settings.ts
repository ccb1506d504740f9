import type { ExternalLoadSettings } from './decide/estimate-external-load.js';
import type { RouteSettings } from './decide/route.js';
import type { BreakerSettings } from './decide/step-breaker.js';
import { defaultPredictSettings } from './predict/predict-settings.js';
import type { LimitSettings } from './provider-limits.js';
import type { QueueBounds } from './queue/decide/plan-displacement.js';

export interface RouterSettings {
  readonly route: RouteSettings;
  readonly external: ExternalLoadSettings;
  readonly reading: ReadingTrust;
  readonly breaker: BreakerSettings;
  readonly limits: LimitSettings;
  readonly ledger: LedgerSettings;
  readonly hold: QueueBounds;
  /** For how long a replica that fails while its agent calls it ready is thought to be restarting. */
  readonly doubtMs: number;
  /** After each step of a slow start its last slot is kept for a request that streams for so long. */
  readonly keepSlotMs: number;
  /** A secret's presence is looked up at most this often per provider: the lookup may touch a file. */
  readonly keyCheckMs: number;
}

export interface ReadingTrust {
  /** A reading younger than this counts in full; agents report every 1–2 s. */
  readonly freshMs: number;
  /** Beyond that, half of it is forgotten after this long. */
  readonly staleHalfLifeMs: number;
}

export interface LedgerSettings {
  /** How finely our own in-flight count is remembered … */
  readonly historyStepMs: number;
  /** … and over how many such steps. Their product must cover the gauge lag and a late report. */
  readonly historySteps: number;
  /** Claims past their deadline are looked for this often. */
  readonly reapEveryMs: number;
  /** No claim is overdue before this, whatever the roles declare. */
  readonly leastDeadlineMs: number;
  /** Share of the newest hold time in the running mean. */
  readonly holdSmoothing: number;
}

/** One place for every number the router works with; tests hand in others. */
export const defaultRouterSettings: RouterSettings = {
  route: {
    filter: { contextSlack: 4, doubtRatio: 1.5, knownDoubtRatio: 1.15 },
    predict: defaultPredictSettings,
    wait: {
      directPatienceMs: 50_000,
      silentPatienceMs: 50_000,
      unansweredMs: 120_000,
      recreationMs: 5_000,
      tunnelGapMs: 60_000,
      untoldMs: 5_000,
      doubtLookMs: 4_000,
    },
    refusal: {
      fullSeconds: { least: 1, usual: 2, most: 30 },
      notReadySeconds: { least: 1, usual: 10, most: 60 },
      // A host is late for 18 s at most; by then it is back or away.
      lateSeconds: 5,
      awaySeconds: 60,
      wakingSeconds: { least: 5, usual: 30, most: 600 },
      drainingSeconds: 30,
      failedSeconds: 5,
    },
  },
  external: { gaugeLagMs: 6_000, halfLifeMs: 4_000 },
  reading: { freshMs: 5_000, staleHalfLifeMs: 5_000 },
  breaker: {
    consecutiveFailures: 3,
    windowMinimum: 10,
    windowFailureRatio: 0.5,
    windowMs: 30_000,
    cooldown: { baseMs: 1_000, capMs: 60_000 },
    probeIntervalMs: 10_000,
    busyPause: { leastMs: 250, mostMs: 500 },
  },
  limits: {
    cooldown: {
      baseMs: 1_000,
      capMs: 60_000,
      jitterRatio: 0.2,
      mostMs: 86_400_000,
      restMs: { quota: 300_000, key: 30_000, unpaid: 300_000 },
    },
    untoldResetMs: 60_000,
  },
  ledger: {
    historyStepMs: 250,
    historySteps: 120,
    reapEveryMs: 60_000,
    leastDeadlineMs: 7_200_000,
    holdSmoothing: 0.1,
  },
  hold: { mostPerRole: 256, mostInAll: 1_024, mostBytes: 256 * 1024 * 1024, mostDisplaced: 8 },
  doubtMs: 10_000,
  keepSlotMs: 2_000,
  keyCheckMs: 1_000,
};
