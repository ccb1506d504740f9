import type { AffinitySettings } from './affinity.js';
import type { PaceSettings } from './decide/judge-pace.js';
import type { LagSettings } from './decide/learn-lag.js';
import type { LengthSettings } from './decide/learn-lengths.js';
import type { LearnSettings } from './decide/learn-rates.js';
import type { PickSettings } from './decide/pick-cheapest.js';
import type { CostSettings } from './decide/predict-cost.js';
import type { DriftBand, DriftSettings, PaceDriftSettings } from './decide/step-drift.js';
import type { Weights } from './predict-types.js';

export interface PredictSettings {
  readonly weights: Weights;
  readonly cost: CostSettings;
  readonly pace: PaceSettings;
  readonly pick: PickSettings;
  readonly learn: LearnSettings;
  readonly lengths: LengthSettings;
  readonly lag: LagSettings;
  /** By answers that ended … */
  readonly doneDrift: DriftSettings;
  /** … and by the pace of streams under way. */
  readonly liveDrift: PaceDriftSettings;
  readonly driftBand: DriftBand;
  /** When the pace of streams is looked at: not before, at the latest, and after so many events. */
  readonly paceSample: { readonly leastMs: number; readonly mostMs: number; readonly leastEvents: number };
  /** How far drift may go before an observation is doubted (a logarithm), and what it counts at least. */
  readonly trustWidth: number;
  readonly leastTrust: number;
  /** An answer of fewer tokens says nothing of the pace. */
  readonly shortAnswer: number;
  /** Of a prompt: bytes a token before anything was learned, its bounds, and the share of the newest. */
  readonly tokens: {
    readonly bytesPerToken: number;
    readonly least: number;
    readonly most: number;
    readonly smoothing: number;
    /** Of a prompt of which nothing is known, such as one with images. */
    readonly unknownPrompt: number;
  };
  /** Of an engine that has just come up. */
  readonly cold: {
    /** What its first request takes longer, before any was seen … */
    readonly firstSeconds: number;
    /** … the share of the newest in that … */
    readonly smoothing: number;
    /** … and after how long without one half of it is forgotten. */
    readonly halfLifeMs: number;
    /** Answers that are not learned from. */
    readonly unlearned: number;
  };
  /** Of what an engine is believed to have in its prefix cache, before it told, and the share of the newest. */
  readonly hits: { readonly trust: number; readonly smoothing: number };
  readonly affinity: AffinitySettings;
  /** A prompt whose answer does not come is taken for read after so many times its predicted start … */
  readonly hungFactor: number;
  /** … and not before. */
  readonly leastHungMs: number;
  /** What a key-value cache counts as that was never told of. */
  readonly unknownKvUsageRatio: number;
}

/** Chosen on a simulated fleet; `docs/routing.md` tells what each does. */
export const defaultPredictSettings: PredictSettings = {
  weights: { firstToken: 1, answer: 0.05 },
  cost: {
    batchTokens: 2_048,
    leastChunkTokens: 256,
    mostDone: 0.9,
    kvUsable: 0.95,
    leastFreedPerSecond: 100,
    kvFullRatio: 0.9,
  },
  pace: { aheadTokens: 512, leastStartSeconds: 0.15, worthRatio: 0.7 },
  pick: {
    ratio: 0.1,
    floorSeconds: 0.02,
    favour: { ratio: 0.25, floorSeconds: 0.05, mostSeconds: 1 },
  },
  learn: {
    halfLife: 150,
    priorWeight: 1.5,
    leastOfPrior: 0.002,
    warmUp: 12,
    outlier: 1.5,
    jumpLength: 24,
    jumpBeyond: Math.log(1.6),
    jumpKeeps: 0.01,
  },
  lengths: { unknownTokens: 200, halfLife: 500, roleWeight: 8, mostOwn: 64, mostKeys: 2_000 },
  lag: {
    smoothing: 0.05,
    leastReadings: 40,
    leastVariance: 1,
    betterThan: 0.5,
    marginMs: 1_500,
  },
  doneDrift: { halfLifeMs: 4_000, smoothing: 0.15 },
  liveDrift: { halfLifeMs: 3_000, seenHalfLifeMs: 2_000 },
  driftBand: { deadBand: 0.1, least: -0.3, most: 1.8 },
  paceSample: { leastMs: 500, mostMs: 5_000, leastEvents: 16 },
  trustWidth: 0.3,
  leastTrust: 0.1,
  shortAnswer: 8,
  tokens: { bytesPerToken: 4.2, least: 1.5, most: 12, smoothing: 1 / 50, unknownPrompt: 500 },
  cold: { firstSeconds: 5, smoothing: 0.3, halfLifeMs: 10_000, unlearned: 2 },
  hits: { trust: 0.9, smoothing: 0.1 },
  affinity: {
    prefix: { slots: 32_768, keptShare: 0.8, unknownCapacityTokens: 20_000 },
    mostSessions: 20_000,
    leastShare: 0.5,
  },
  hungFactor: 4,
  leastHungMs: 1_000,
  unknownKvUsageRatio: 0.5,
};
