import type { ReplicaPhase } from '@ai-fabric/shared';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import { findDirectEngine } from '../live/decide/find-direct-engine.js';
import { type HostPower, UNKNOWN_POWER } from '../live/host-power.js';
import type { LiveHost, LiveReplica, LiveView, Presence } from '../live/live-view.js';
import type { Breaker } from './breaker.js';
import type { NoWay, ReplicaCandidate } from './candidate.js';
import { isWakeLate, wakeInMs } from './decide/judge-asleep.js';
import { EngineGauges, type GaugeSettings, type Moment } from './engine-gauges.js';
import type { Account } from './ledger.js';
import { notSlow, type SlowStart, stepSlowStart } from './predict/decide/step-slow-start.js';
import type { Rates, ReplicaLoad } from './predict/predict-types.js';
import type { ReplicaModel } from './predict/replica-model.js';

const TUNNEL_DOWN: NoWay = { reason: 'tunnel_down' };

export interface LiveReplicaTargetDeps {
  readonly live: LiveView;
  readonly breaker: Breaker;
  readonly account: Account;
  readonly model: ReplicaModel;
  /** Of the engine. */
  readonly number: number;
  readonly settings: GaugeSettings & { readonly doubtMs: number; readonly keepSlotMs: number };
}

/**
 * A deployment's candidate, one object for as long as its declaration lives. What the live view tells is taken over when
 * it tells it; `refresh` brings the rest to the present before each decision, and allocates nothing.
 */
export class LiveReplicaTarget implements ReplicaCandidate {
  readonly kind = 'replica';
  readonly target: string;
  readonly number: number;
  readonly deployment: DeclaredDeployment;
  readonly mayBeAway: boolean;
  /** The model's own, which are brought up to date in place. */
  readonly load: ReplicaLoad;
  readonly rates: Rates;
  readonly model: ReplicaModel;
  readonly breaker: Breaker;
  presence: Presence = 'unseen';
  draining = false;
  power: HostPower = UNKNOWN_POWER;
  yielded = false;
  phase: ReplicaPhase = 'absent';
  needsSignIn = false;
  noWay: NoWay | null = null;
  contextTokens: number | null = null;
  slots: number;

  readonly #deps: LiveReplicaTargetDeps;
  readonly #gauges: EngineGauges;
  readonly #account: Account;
  /** The live view told something that is not taken over yet. */
  #hasNews = true;
  #nowMs = 0;
  #wallMs = 0;
  /** As last told; not as of the last decision, which may be long ago. */
  #toldPhase: ReplicaPhase;
  #phaseSinceMs = Number.NEGATIVE_INFINITY;
  /** Since when its host is there and the way to it is not. */
  #noWaySinceMs = Number.NEGATIVE_INFINITY;
  /** Since its first failure without a success; `null`: there is none. */
  #failingSinceMs: number | null = null;
  #comebacks = 0;
  #slowStart: SlowStart = notSlow;
  #keptUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deployment: DeclaredDeployment, mayBeAway: boolean, deps: LiveReplicaTargetDeps) {
    this.target = deployment.name;
    this.number = deps.number;
    this.deployment = deployment;
    this.mayBeAway = mayBeAway;
    this.#deps = deps;
    this.#account = deps.account;
    this.model = deps.model;
    this.breaker = deps.breaker;
    this.model.slots = deployment.maxConcurrent;
    this.slots = deployment.maxConcurrent;
    this.load = this.model.current;
    this.rates = this.model.rates;
    this.#gauges = new EngineGauges(deps.account, deps.model, deps.settings);
    this.#toldPhase = this.#observed()?.status.phase ?? 'absent';
    this.noWay = this.#findNoWay();
  }

  get phaseForMs(): number {
    return this.#nowMs - this.#phaseSinceMs;
  }

  get noWayForMs(): number {
    return this.#nowMs - this.#noWaySinceMs;
  }

  get doubtForMs(): number {
    if (this.#failingSinceMs === null) return 0;
    return Math.max(0, this.#failingSinceMs + this.#deps.settings.doubtMs - this.#nowMs);
  }

  get blockedForMs(): number {
    return this.breaker.blockedForMs(this.#nowMs);
  }

  get busyForMs(): number {
    return this.breaker.busyForMs(this.#nowMs);
  }

  get wakeInMs(): number | null {
    return wakeInMs(this.power, this.target, this.#wallMs);
  }

  get isWakeLate(): boolean {
    return isWakeLate(this.power, this.target, this.#wallMs);
  }

  get keptForMs(): number {
    return this.#slowStart === notSlow ? 0 : Math.max(0, this.#keptUntilMs - this.#nowMs);
  }

  get inflight(): number {
    return this.#account.inflight;
  }

  get meanHoldMs(): number | null {
    return this.#account.meanHoldMs;
  }

  get hitTrust(): number {
    return this.model.learned.hitTrust;
  }

  get isDensityKnown(): boolean {
    return this.model.isDensityKnown;
  }

  get bytesPerToken(): number {
    return this.model.bytesPerToken;
  }

  /** Requests of others, or `null` where no gauge ever told. */
  get knownExternalLoad(): number | null {
    return this.#gauges.hasTold ? this.load.external : null;
  }

  /** How late its gauges are, as far as that could be learned. */
  get gaugeLagMs(): number | null {
    return this.#gauges.lagMs;
  }

  /** Takes over what was learned of the same engine under an earlier declaration. */
  inherit(earlier: LiveReplicaTarget): void {
    this.#gauges.inherit(earlier.#gauges);
    this.#toldPhase = earlier.#toldPhase;
    this.#phaseSinceMs = earlier.#phaseSinceMs;
    this.#noWaySinceMs = earlier.#noWaySinceMs;
    this.#failingSinceMs = earlier.#failingSinceMs;
    this.#comebacks = earlier.#comebacks;
    this.#keptUntilMs = earlier.#keptUntilMs;
    this.#takeSlowStart(earlier.#slowStart);
  }

  /** How often it served again after it had not. */
  get comebacks(): number {
    return this.#comebacks;
  }

  /** Its host told a new sample, its reading with it. */
  noticeSample(): void {
    this.#hasNews = true;
  }

  /** The live view told something new of it or of its host. */
  noticeChange(nowMs: number): void {
    this.#hasNews = true;
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
    // An engine that others run is ready to us when its agent has first looked at it, however long it has served.
    this.model.becameReady(nowMs, this.deployment.engine === 'vllm');
    this.#stepSlowStart('ready', nowMs);
  }

  /** The first byte of an answer: it does what it is there for. */
  noticeAnswer(nowMs: number): void {
    this.noticeSuccess();
    this.#stepSlowStart('succeeded', nowMs);
  }

  #stepSlowStart(event: 'ready' | 'succeeded' | 'failed', nowMs: number): void {
    if (event !== 'failed') this.#keptUntilMs = nowMs + this.#deps.settings.keepSlotMs;
    this.#takeSlowStart(stepSlowStart(this.#slowStart, event, this.deployment.maxConcurrent));
  }

  #takeSlowStart(cap: SlowStart): void {
    this.#slowStart = cap;
    this.slots = Math.min(this.deployment.maxConcurrent, cap);
  }

  noticeFailure(nowMs: number): void {
    this.#failingSinceMs ??= nowMs;
    this.#stepSlowStart('failed', nowMs);
  }

  /** @returns whether it had failed before */
  noticeSuccess(): boolean {
    if (this.#failingSinceMs === null) return false;
    this.noticeReady();
    return true;
  }

  refresh(now: Moment): void {
    const nowMs = now.monotonicMs;
    this.#nowMs = nowMs;
    this.#wallMs = now.wallMs;
    if (this.#hasNews) this.#takeNews(now);
    this.#gauges.refresh(nowMs);
    this.model.load(nowMs);
  }

  #takeNews(now: Moment): void {
    this.#hasNews = false;
    const host = this.#deps.live.host(this.deployment.host);
    this.presence = host?.presence ?? 'unseen';
    this.draining = host?.draining ?? false;
    this.power = host?.power ?? UNKNOWN_POWER;
    this.yielded = host?.owner != null && host.owner.state !== 'serving';
    const replica = this.#observed();
    this.phase = replica?.status.phase ?? 'absent';
    this.needsSignIn = this.phase === 'failed' && replica?.status.code === 'sign_in_needed';
    this.contextTokens = smaller(this.deployment.contextTokens, replica?.status.maxModelLen ?? null);
    this.#gauges.take(replica?.reading ?? null, replica?.readingAtMs ?? null, now);
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
}

function isThere({ presence }: LiveHost): boolean {
  return presence === 'online' || presence === 'late';
}

/** The operator may declare less than the engine takes; more than it takes is no use. */
function smaller(declared: number | null, reportedTokens: number | null): number | null {
  if (declared === null || reportedTokens === null) return declared ?? reportedTokens;
  return Math.min(declared, reportedTokens);
}
