import type { EngineReading } from '@ai-fabric/shared';
import {
  type ExternalLoad,
  type ExternalLoadSettings,
  estimateExternalLoad,
  externalLoadAt,
} from './decide/estimate-external-load.js';
import type { Account } from './ledger.js';
import { freshLag, type LagSettings, lagWindow, learnedLag, learnLag } from './predict/decide/learn-lag.js';
import type { ReplicaModel } from './predict/replica-model.js';
import type { ReadingTrust } from './router-settings.js';

/** One moment on both clocks, read once per decision. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface GaugeSettings {
  readonly external: ExternalLoadSettings;
  readonly reading: ReadingTrust;
  readonly lag: LagSettings;
}

/** What fades is brought up to date this often: a power for each of a thousand replicas and each request is dear. */
const FADE_EVERY_MS = 100;

/** What an engine's gauges tell beyond our own count. They are late, and what they said fades. */
export class EngineGauges {
  readonly #account: Account;
  readonly #model: ReplicaModel;
  readonly #settings: GaugeSettings;
  #external: ExternalLoad | null = null;
  #lag = freshLag();
  #kvUsageRatio: number | null = null;
  #kvCapacityTokens: number | null = null;
  /** Wall clock, as the live view gives it: only to notice a new reading. */
  #seenAtMs: number | null = null;
  #readAtMonotonicMs: number | null = null;
  #fadesAtMs = Number.NEGATIVE_INFINITY;

  constructor(account: Account, model: ReplicaModel, settings: GaugeSettings) {
    this.#account = account;
    this.#model = model;
    this.#settings = settings;
  }

  /** Whether anything was ever told of others' requests. */
  get hasTold(): boolean {
    return this.#external !== null;
  }

  /** How late they are, as far as that could be learned. */
  get lagMs(): number | null {
    return learnedLag(this.#lag, this.#settings.lag);
  }

  /** Takes over what was learned of the same engine. */
  inherit(earlier: EngineGauges): void {
    this.#external = earlier.#external;
    this.#lag = earlier.#lag;
    this.#kvUsageRatio = earlier.#kvUsageRatio;
    this.#kvCapacityTokens = earlier.#kvCapacityTokens;
    this.#seenAtMs = earlier.#seenAtMs;
    this.#readAtMonotonicMs = earlier.#readAtMonotonicMs;
  }

  /**
   * Takes a reading, if it is a new one. Its time is moved to the monotonic clock here, at first sight: afterwards a
   * jump of the wall clock makes it neither stale nor of the future.
   */
  take(reading: EngineReading | null, readingAtMs: number | null, now: Moment): void {
    if (readingAtMs === this.#seenAtMs) return;
    this.#seenAtMs = readingAtMs;
    this.#fadesAtMs = Number.NEGATIVE_INFINITY;
    const isTaken = reading !== null && readingAtMs !== null;
    this.#kvUsageRatio = isTaken ? ratio(reading.kvUsageRatio) : null;
    this.#kvCapacityTokens = isTaken ? measured(reading.kvCapacityTokens) : null;
    this.#readAtMonotonicMs = isTaken ? now.monotonicMs - Math.max(0, now.wallMs - readingAtMs) : null;
    if (!isTaken || this.#readAtMonotonicMs === null) return;
    const atMs = this.#readAtMonotonicMs;
    const { external, lag } = this.#settings;
    const told = reported(reading);
    if (told !== null) learnLag(this.#lag, told, (lagMs) => this.#ownAt(atMs - lagMs), lag);
    const window = lagWindow(this.lagMs, external.gaugeLagMs, lag);
    const own = this.#account.inflightRange(atMs - window.mostMs, atMs - window.leastMs);
    this.#external = estimateExternalLoad(this.#external, told, own, atMs, external);
  }

  /** Tells the model what they are worth now. */
  refresh(nowMs: number): void {
    if (nowMs < this.#fadesAtMs) return;
    this.#fadesAtMs = nowMs + FADE_EVERY_MS;
    this.#model.othersAre(externalLoadAt(this.#external, nowMs, this.#settings.external), nowMs);
    this.#model.cacheIs(this.#kvUsageRatio, this.#kvCapacityTokens, this.#trustAt(nowMs));
  }

  /** How much of a reading still counts: 1 while fresh, then halved every half-life, 0 without one. */
  #trustAt(nowMs: number): number {
    const { freshMs, staleHalfLifeMs } = this.#settings.reading;
    if (this.#readAtMonotonicMs === null) return 0;
    const ageMs = nowMs - this.#readAtMonotonicMs;
    return ageMs <= freshMs ? 1 : 2 ** (-(ageMs - freshMs) / staleHalfLifeMs);
  }

  #ownAt(atMs: number): number {
    const range = this.#account.inflightRange(atMs, atMs);
    return range === null ? this.#account.inflight : (range.least + range.most) / 2;
  }
}

/** Requests in the engine by its own gauges; `null` when it does not tell how many run. */
function reported(reading: EngineReading): number | null {
  const running = measured(reading.running);
  return running === null ? null : running + (measured(reading.waiting) ?? 0);
}

/** Gauges come from an engine that we did not write: what cannot be a count is no value. */
function measured(value: number | null): number | null {
  return value !== null && Number.isFinite(value) && value >= 0 ? value : null;
}

function ratio(value: number | null): number | null {
  const known = measured(value);
  return known === null ? null : Math.min(1, known);
}
