import type { EngineReading, ReplicaPhase } from '@ai-fabric/shared';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import { findDirectEngine } from '../live/decide/find-direct-engine.js';
import type { LiveHost, LiveReplica, LiveView, Presence } from '../live/live-view.js';
import type { Breaker } from './breaker.js';
import type { NoWay, ReplicaCandidate } from './candidate.js';
import {
  type ExternalLoad,
  type ExternalLoadSettings,
  estimateExternalLoad,
  externalLoadAt,
} from './decide/estimate-external-load.js';
import type { Account } from './ledger.js';
import { freshLag, type LagSettings, lagWindow, learnedLag, learnLag } from './predict/decide/learn-lag.js';
import { notSlow, type SlowStart, stepSlowStart } from './predict/decide/step-slow-start.js';
import type { Rates, ReplicaLoad } from './predict/predict-types.js';
import type { ReplicaModel } from './predict/replica-model.js';
import type { ReadingTrust } from './router-settings.js';

const TUNNEL_DOWN: NoWay = { reason: 'tunnel_down' };

/** One moment on both clocks, read once per decision. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface LiveReplicaTargetDeps {
  readonly live: LiveView;
  readonly breaker: Breaker;
  readonly account: Account;
  readonly model: ReplicaModel;
  readonly settings: {
    readonly external: ExternalLoadSettings;
    readonly reading: ReadingTrust;
    readonly lag: LagSettings;
    readonly doubtMs: number;
  };
}

/**
 * A deployment's candidate, one object for as long as its declaration lives. `refresh` brings it to the present
 * before each decision; nothing is allocated for that unless a new reading has come.
 */
export class LiveReplicaTarget implements ReplicaCandidate {
  readonly kind = 'replica';
  readonly target: string;
  readonly deployment: DeclaredDeployment;
  readonly mayBeAway: boolean;
  /** The model's own, which is brought up to date in place. */
  readonly load: ReplicaLoad;
  presence: Presence = 'unseen';
  draining = false;
  phase: ReplicaPhase = 'absent';
  phaseForMs = Number.POSITIVE_INFINITY;
  doubtForMs = 0;
  noWay: NoWay | null = null;
  noWayForMs = Number.POSITIVE_INFINITY;
  contextTokens: number | null = null;
  blockedForMs = 0;
  busyForMs = 0;
  inflight = 0;
  slots: number;
  meanHoldMs: number | null = null;
  bytesPerToken = 1;
  isDensityKnown = false;

  readonly #deps: LiveReplicaTargetDeps;
  #external: ExternalLoad | null = null;
  #lag = freshLag();
  #kvUsageRatio: number | null = null;
  #kvCapacityTokens: number | null = null;
  /** Wall clock, as the live view gives it: only to notice a new reading. */
  #seenReadingAtMs: number | null = null;
  #readingMonotonicMs: number | null = null;
  /** As last told; not as of the last decision, which may be long ago. */
  #toldPhase: ReplicaPhase;
  #phaseSinceMs = Number.NEGATIVE_INFINITY;
  /** Since when its host is there and the way to it is not. */
  #noWaySinceMs = Number.NEGATIVE_INFINITY;
  /** Since its first failure without a success; `null`: there is none. */
  #failingSinceMs: number | null = null;
  #comebacks = 0;
  #slowStart: SlowStart = notSlow;

  constructor(deployment: DeclaredDeployment, mayBeAway: boolean, deps: LiveReplicaTargetDeps) {
    this.target = deployment.name;
    this.deployment = deployment;
    this.mayBeAway = mayBeAway;
    this.#deps = deps;
    deps.model.slots = deployment.maxConcurrent;
    this.slots = deployment.maxConcurrent;
    this.load = deps.model.current;
    this.#toldPhase = this.#observed()?.status.phase ?? 'absent';
    this.noWay = this.#findNoWay();
  }

  get breaker(): Breaker {
    return this.#deps.breaker;
  }

  /** Requests of others, or `null` where no gauge ever told. */
  get knownExternalLoad(): number | null {
    return this.#external === null ? null : this.load.external;
  }

  /** How late its gauges are, as far as that could be learned. */
  get gaugeLagMs(): number | null {
    return learnedLag(this.#lag, this.#deps.settings.lag);
  }

  get model(): ReplicaModel {
    return this.#deps.model;
  }

  get rates(): Rates {
    return this.#deps.model.rates;
  }

  /** Takes over what was learned of the same engine under an earlier declaration. */
  inherit(earlier: LiveReplicaTarget): void {
    this.#external = earlier.#external;
    this.#seenReadingAtMs = earlier.#seenReadingAtMs;
    this.#readingMonotonicMs = earlier.#readingMonotonicMs;
    this.#toldPhase = earlier.#toldPhase;
    this.#phaseSinceMs = earlier.#phaseSinceMs;
    this.#noWaySinceMs = earlier.#noWaySinceMs;
    this.#failingSinceMs = earlier.#failingSinceMs;
    this.#comebacks = earlier.#comebacks;
    this.#takeSlowStart(earlier.#slowStart);
    this.#lag = earlier.#lag;
    this.#kvUsageRatio = earlier.#kvUsageRatio;
    this.#kvCapacityTokens = earlier.#kvCapacityTokens;
  }

  /** How often it served again after it had not. */
  get comebacks(): number {
    return this.#comebacks;
  }

  /** The live view told something new of it or of its host. */
  noticeChange(nowMs: number): void {
    const phase = this.#observed()?.status.phase ?? 'absent';
    if (phase !== this.#toldPhase) {
      this.#toldPhase = phase;
      this.#phaseSinceMs = nowMs;
    }
    const before = this.noWay;
    this.noWay = this.#findNoWay();
    if (before === null && this.noWay !== null) this.#noWaySinceMs = nowMs;
    if (before !== null && this.noWay === null) this.noticeReady();
  }

  noticeReady(): void {
    this.#comebacks += 1;
    this.#failingSinceMs = null;
  }

  /** It has come up: what it can do is found out with few requests at first. */
  startSlowly(nowMs: number): void {
    this.#deps.model.becameReady(nowMs);
    this.#stepSlowStart('ready');
  }

  /** A claim on it ended. */
  noticeEnd(kind: 'succeeded' | 'failed', nowMs: number): void {
    if (kind === 'succeeded') this.noticeSuccess();
    else this.noticeFailure(nowMs);
    this.#stepSlowStart(kind);
  }

  #stepSlowStart(event: 'ready' | 'succeeded' | 'failed'): void {
    this.#takeSlowStart(stepSlowStart(this.#slowStart, event, this.deployment.maxConcurrent));
  }

  #takeSlowStart(cap: SlowStart): void {
    this.#slowStart = cap;
    this.slots = Math.min(this.deployment.maxConcurrent, cap);
  }

  noticeFailure(nowMs: number): void {
    this.#failingSinceMs ??= nowMs;
  }

  /** @returns whether it had failed before */
  noticeSuccess(): boolean {
    if (this.#failingSinceMs === null) return false;
    this.noticeReady();
    return true;
  }

  refresh(now: Moment): void {
    const { live, breaker, account, model, settings } = this.#deps;
    const host = live.host(this.deployment.host);
    this.presence = host?.presence ?? 'unseen';
    this.draining = host?.draining ?? false;
    const replica = this.#observed();
    this.phase = replica?.status.phase ?? 'absent';
    this.phaseForMs = now.monotonicMs - this.#phaseSinceMs;
    const failingSinceMs = this.#failingSinceMs;
    this.doubtForMs =
      failingSinceMs === null ? 0 : Math.max(0, failingSinceMs + settings.doubtMs - now.monotonicMs);
    this.noWayForMs = now.monotonicMs - this.#noWaySinceMs;
    this.contextTokens = smaller(this.deployment.contextTokens, replica?.status.maxModelLen ?? null);
    this.blockedForMs = breaker.blockedForMs(now.monotonicMs);
    this.busyForMs = breaker.busyForMs(now.monotonicMs);
    this.inflight = account.inflight;
    this.meanHoldMs = account.meanHoldMs;
    const readingAtMs = replica?.readingAtMs ?? null;
    if (readingAtMs !== this.#seenReadingAtMs) this.#takeReading(replica?.reading ?? null, readingAtMs, now);
    model.othersAre(externalLoadAt(this.#external, now.monotonicMs, settings.external), now.monotonicMs);
    model.cacheIs(this.#kvUsageRatio, this.#kvCapacityTokens, this.#readingTrust(now.monotonicMs));
    model.load(now.monotonicMs);
    this.bytesPerToken = model.bytesPerToken;
    this.isDensityKnown = model.isDensityKnown;
  }

  /** How much of a reading still counts: 1 while fresh, then halved every half-life, 0 without one. */
  #readingTrust(nowMs: number): number {
    const { freshMs, staleHalfLifeMs } = this.#deps.settings.reading;
    if (this.#readingMonotonicMs === null) return 0;
    const ageMs = nowMs - this.#readingMonotonicMs;
    return ageMs <= freshMs ? 1 : 2 ** (-(ageMs - freshMs) / staleHalfLifeMs);
  }

  /** Asked only while its host is there and it is ready: before that nobody misses the way to it. */
  #findNoWay(): NoWay | null {
    const { deployment } = this;
    if (deployment.engine === 'external') return null;
    const host = this.#deps.live.host(deployment.host);
    if (host === undefined || !isThere(host)) return null;
    if (deployment.reach === 'tunnel') return host.tunnelUp ? null : TUNNEL_DOWN;
    const status = this.#observed()?.status;
    if (status?.phase !== 'ready') return null;
    const engine = findDirectEngine({ deployment, peerAddress: host.peerAddress, status });
    return engine.known ? null : { reason: 'address_unknown', detail: engine.detail };
  }

  /** A replica seen on another host is what is left of an earlier declaration. */
  #observed(): LiveReplica | undefined {
    const replica = this.#deps.live.replica(this.target);
    return replica?.host === this.deployment.host ? replica : undefined;
  }

  /**
   * The reading's time is moved to the monotonic clock here, at first sight: afterwards a jump of the wall clock
   * makes it neither stale nor of the future.
   */
  #takeReading(reading: EngineReading | null, readingAtMs: number | null, now: Moment): void {
    this.#seenReadingAtMs = readingAtMs;
    const isTaken = reading !== null && readingAtMs !== null;
    this.#kvUsageRatio = isTaken ? ratio(reading.kvUsageRatio) : null;
    this.#kvCapacityTokens = isTaken ? measured(reading.kvCapacityTokens) : null;
    this.#readingMonotonicMs = isTaken ? now.monotonicMs - Math.max(0, now.wallMs - readingAtMs) : null;
    if (!isTaken || this.#readingMonotonicMs === null) return;
    const atMs = this.#readingMonotonicMs;
    const { account, settings } = this.#deps;
    const told = reported(reading);
    if (told !== null) learnLag(this.#lag, told, (lagMs) => this.#ownAt(atMs - lagMs), settings.lag);
    const window = lagWindow(this.gaugeLagMs, settings.external.gaugeLagMs, settings.lag);
    const own = account.inflightRange(atMs - window.mostMs, atMs - window.leastMs);
    this.#external = estimateExternalLoad(this.#external, told, own, atMs, settings.external);
  }

  #ownAt(atMs: number): number {
    const { account } = this.#deps;
    const range = account.inflightRange(atMs, atMs);
    return range === null ? account.inflight : (range.least + range.most) / 2;
  }
}

function isThere({ presence }: LiveHost): boolean {
  return presence === 'online' || presence === 'late';
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

/** The operator may declare less than the engine takes; more than it takes is no use. */
function smaller(declared: number | null, reportedTokens: number | null): number | null {
  if (declared === null || reportedTokens === null) return declared ?? reportedTokens;
  return Math.min(declared, reportedTokens);
}
