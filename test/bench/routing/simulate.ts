import { type EngineReading, emptyEngineReading, type Random } from '@ai-fabric/shared';
import { seededRandom } from '@ai-fabric/shared/testing';
import {
  BatchEngine,
  type EngineGauges,
  type EngineObserver,
  type EngineWork,
} from '../../simulators/batch-engine/batch-engine.js';
import { at } from './at.js';
import { EventQueue, LabClock } from './event-queue.js';
import type { LabPolicy, LabPort, LabTruth, NamedPolicy, SendFailure } from './lab-policy.js';
import type { LabReplica, ReplicaEvent, ReplicaPhase, Scenario } from './scenario/scenario.js';
import { drawOutside, drawRequests, type LabRequest, type OutsideRequest } from './workload.js';

/** What became of the counted requests of one run. */
export interface RunResult {
  /** By request, in order of arrival; NaN: it failed. Arrival to first token. */
  readonly ttftMs: Float64Array;
  /** Arrival to last token. */
  readonly totalMs: Float64Array;
  /** Requests that were served, by replica. */
  readonly served: readonly number[];
  readonly failed: number;
  readonly preemptions: number;
  /** Requests that came to a replica over what one that has just woken should have: 1, then twice as many with each answer that begins. */
  readonly overCap: number;
  /** Of all that was sent to engines, what they refused or lost. */
  readonly bounced: number;
  readonly goodRatio: number;
}

/** Tokens are told as late as this at most: each by itself would be most of what a run takes. */
const TOKENS_LATE_MS = 250;
const WARM_UP_REQUESTS = 400;
/** What a run may take beyond the arrivals: then something waits for ever. */
const MOST_IDLE_MS = 3_600_000;

/** Runs a scenario to its end. The same seed gives the same result, and the same requests to every policy. */
export function simulate(scenario: Scenario, policy: NamedPolicy, seed: number): RunResult {
  return new Simulation(scenario, policy, seed).run();
}

class Simulation implements LabPort, EngineObserver<EngineWork>, LabTruth {
  readonly clock: LabClock;
  readonly random: Random;
  readonly replicas: readonly LabReplica[];
  readonly #scenario: Scenario;
  readonly #events = new EventQueue();
  readonly #engines: readonly BatchEngine<EngineWork>[];
  readonly #phases: ReplicaPhase[];
  readonly #told: boolean[];
  readonly #deferred: (() => void)[] = [];
  readonly #policy: LabPolicy;
  readonly #requests: readonly LabRequest[];
  readonly #firstCounted: number;
  readonly #firstTokenAtMs: Float64Array;
  readonly #endedAtMs: Float64Array;
  readonly #where: Int16Array;
  readonly #gauges: GaugeLog;
  readonly #caps: WakingCap[];
  #open: number;
  #bounced = 0;

  constructor(scenario: Scenario, policy: NamedPolicy, seed: number) {
    this.#scenario = scenario;
    this.clock = new LabClock(this.#events);
    this.random = seededRandom(seed * 7 + 1);
    this.replicas = scenario.fleet;
    const aheadMs = policy.hearsTokens === true ? TOKENS_LATE_MS : Number.POSITIVE_INFINITY;
    this.#engines = scenario.fleet.map(({ shape }) => new BatchEngine<EngineWork>(shape, true, aheadMs));
    this.#phases = scenario.fleet.map((_, index) => firstPhase(scenario.events, index));
    this.#told = this.#phases.map((phase) => phase === 'ready');
    const warmUp = scenario.learnt
      ? drawRequests(scenario, seed + 1_000_003, { count: WARM_UP_REQUESTS, fromMs: 0 })
      : [];
    const fromMs = (warmUp.at(-1)?.atMs ?? 0) + (scenario.learnt ? 60_000 : 0);
    const counted = drawRequests(scenario, seed, { count: scenario.requests, fromMs });
    this.#requests = [...warmUp, ...counted].map((request, index) => ({ ...request, index }));
    this.#firstCounted = warmUp.length + scenario.ignoreFirst;
    this.#open = this.#requests.length;
    this.#firstTokenAtMs = new Float64Array(this.#open).fill(Number.NaN);
    this.#endedAtMs = new Float64Array(this.#open).fill(Number.NaN);
    this.#where = new Int16Array(this.#open).fill(-1);
    this.#gauges = new GaugeLog(scenario, seededRandom(seed * 13 + 5));
    this.#caps = scenario.fleet.map(({ shape }) => new WakingCap(shape.slots));
    this.#policy = policy.create(this);
    this.#plan(seed, fromMs);
  }

  get truth(): LabTruth {
    return this;
  }

  run(): RunResult {
    const lastMs = (this.#requests.at(-1)?.atMs ?? 0) + MOST_IDLE_MS;
    while (this.#open > 0) {
      const engine = this.#nextEngine();
      const engineAtMs = engine?.endsAtMs ?? Number.POSITIVE_INFINITY;
      const eventAtMs = this.#events.nextAtMs;
      const nowMs = Math.min(engineAtMs, eventAtMs);
      if (nowMs > lastMs) throw new Error(`${this.#open} requests of ${this.#scenario.name} never ended`);
      this.clock.moveTo(nowMs);
      if (engineAtMs <= eventAtMs) engine?.end(this);
      else this.#events.runNext();
      this.#drain();
    }
    return this.#result();
  }

  engine(replica: number): BatchEngine<EngineWork> {
    return at(this.#engines, replica);
  }

  phase(replica: number): ReplicaPhase {
    return at(this.#phases, replica);
  }

  isReady(replica: number): boolean {
    return at(this.#told, replica);
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  send(request: LabRequest, replica: number): void {
    if (this.phase(replica) !== 'ready') {
      this.defer(() => this.#bounce(request, replica, 'refused', true));
      return;
    }
    if (!this.engine(replica).push(request, this.clock.monotonicMs())) {
      this.defer(() => this.#bounce(request, replica, 'full', true));
      return;
    }
    this.#where[request.index] = replica;
    at(this.#caps, replica).sent();
  }

  giveUp({ index }: LabRequest): void {
    if (!Number.isNaN(at(this.#endedAtMs, index)))
      throw new Error(`request ${index} was given up after its end`);
    this.#firstTokenAtMs[index] = Number.NaN;
    this.#endedAtMs[index] = Number.NaN;
    this.#where[index] = -1;
    this.#open -= 1;
  }

  firstToken(work: EngineWork, nowMs: number): void {
    if (!isOurs(work)) return;
    this.#firstTokenAtMs[work.index] = nowMs;
    if (!work.isStreamed) return;
    at(this.#caps, at(this.#where, work.index)).answered();
    this.#policy.firstToken?.(work, at(this.#where, work.index));
  }

  furtherTokens(work: EngineWork, count: number): void {
    if (isOurs(work) && work.isStreamed) this.#policy.furtherTokens?.(work, count);
  }

  whole(work: EngineWork, nowMs: number): void {
    if (!isOurs(work)) return;
    const replica = at(this.#where, work.index);
    this.#endedAtMs[work.index] = nowMs;
    this.#open -= 1;
    if (!work.isStreamed) at(this.#caps, replica).answered();
    at(this.#caps, replica).ended();
    this.#policy.whole?.(work, replica);
  }

  #plan(seed: number, fromMs: number): void {
    const { events, gauges } = this.#scenario;
    for (const request of this.#requests) this.#events.add(request.atMs, () => this.#policy.arrive(request));
    const untilMs = this.#requests.at(-1)?.atMs ?? 0;
    for (const request of drawOutside(this.#scenario, seed, untilMs)) {
      this.#events.add(request.atMs, () => this.#foreign(request));
    }
    for (const event of events) {
      this.#events.add(fromMs + event.atMs, () => this.#happens(event));
    }
    this.clock.every(gauges.everySeconds * 1_000, () => this.#readGauges());
    this.#readGauges();
  }

  #nextEngine(): BatchEngine<EngineWork> | null {
    let next: BatchEngine<EngineWork> | null = null;
    for (const engine of this.#engines) {
      if (engine.endsAtMs < (next?.endsAtMs ?? Number.POSITIVE_INFINITY)) next = engine;
    }
    return next;
  }

  #drain(): void {
    for (let run = this.#deferred.shift(); run !== undefined; run = this.#deferred.shift()) run();
  }

  #foreign(request: OutsideRequest): void {
    if (this.phase(request.replica) === 'ready') {
      this.engine(request.replica).push(request, this.clock.monotonicMs());
    }
  }

  #happens({ replica, becomes, toldAfterMs, coldMs }: ReplicaEvent): void {
    const engine = this.engine(replica);
    this.#phases[replica] = becomes;
    if (becomes === 'ready') engine.chill(coldMs);
    for (const work of becomes === 'ready' ? [] : engine.crash()) {
      if (isOurs(work)) this.#lost(work, replica);
    }
    this.#events.add(this.clock.monotonicMs() + toldAfterMs, () => {
      const isReady = becomes === 'ready';
      this.#told[replica] = isReady;
      if (isReady) at(this.#caps, replica).woke();
      this.#policy.phase?.(replica, isReady ? 'ready' : 'loading');
    });
  }

  #lost(request: LabRequest, replica: number): void {
    const { index, isStreamed } = request;
    const mayRetry = !isStreamed || Number.isNaN(at(this.#firstTokenAtMs, index));
    this.#firstTokenAtMs[index] = Number.NaN;
    at(this.#caps, replica).ended();
    this.defer(() => this.#bounce(request, replica, 'cut_off', mayRetry));
  }

  #bounce(request: LabRequest, replica: number, failure: SendFailure, mayRetry: boolean): void {
    this.#bounced += 1;
    this.#policy.failed(request, replica, failure, mayRetry);
  }

  #readGauges(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [index, engine] of this.#engines.entries()) {
      const seen = this.#gauges.read(index, nowMs, engine.gauges(nowMs));
      if (seen === null || this.phase(index) !== 'ready') continue;
      const { kvTokens } = engine.shape;
      const reading: EngineReading = { ...emptyEngineReading, ...seen, kvCapacityTokens: kvTokens };
      this.#policy.reading?.(index, reading);
    }
  }

  #result(): RunResult {
    const requests = this.#requests.slice(this.#firstCounted);
    const ttftMs = new Float64Array(requests.length);
    const totalMs = new Float64Array(requests.length);
    const served = this.replicas.map(() => 0);
    const { ttftSeconds, perTokenSeconds } = this.#scenario.slo;
    let failed = 0;
    let good = 0;
    for (const [place, { index, atMs, answerTokens }] of requests.entries()) {
      const replica = at(this.#where, index);
      const ttft = at(this.#firstTokenAtMs, index) - atMs;
      const total = at(this.#endedAtMs, index) - atMs;
      ttftMs[place] = ttft;
      totalMs[place] = total;
      if (replica < 0) failed += 1;
      else served[replica] = at(served, replica) + 1;
      const perTokenMs = (total - ttft) / Math.max(1, answerTokens - 1);
      if (ttft <= ttftSeconds * 1_000 && perTokenMs <= perTokenSeconds * 1_000) good += 1;
    }
    const preemptions = this.#engines.reduce((sum, engine) => sum + engine.preemptions, 0);
    const overCap = this.#caps.reduce((sum, cap) => sum + cap.over, 0);
    const goodRatio = good / requests.length;
    return { ttftMs, totalMs, served, failed, preemptions, overCap, bounced: this.#bounced, goodRatio };
  }
}

function isOurs(work: EngineWork): work is LabRequest {
  return 'index' in work;
}

/** A replica whose first event makes it ready is not there before. */
function firstPhase(events: readonly ReplicaEvent[], replica: number): ReplicaPhase {
  const first = events.filter((event) => event.replica === replica).sort((a, b) => a.atMs - b.atMs)[0];
  return first?.becomes === 'ready' ? 'loading' : 'ready';
}

/** What an engine's gauges show is how it was a while ago. */
class GaugeLog {
  readonly #lag: readonly [number, number];
  readonly #random: Random;
  readonly #log: { atMs: number; gauges: EngineGauges }[][];

  constructor({ fleet, gauges }: Scenario, random: Random) {
    this.#lag = gauges.lagSeconds;
    this.#random = random;
    this.#log = fleet.map(() => []);
  }

  /** Notes how it is, and tells how it was; never anything older than it told before. */
  read(replica: number, nowMs: number, gauges: EngineGauges): EngineGauges | null {
    const log = at(this.#log, replica);
    log.push({ atMs: nowMs, gauges });
    const [least, most] = this.#lag;
    const seenAtMs = nowMs - (least + (most - least) * this.#random()) * 1_000;
    while (log.length > 1 && (log[1]?.atMs ?? Number.POSITIVE_INFINITY) <= seenAtMs) log.shift();
    const seen = log[0];
    return seen === undefined || seen.atMs > seenAtMs ? null : seen.gauges;
  }
}

/** What one that has just woken should have at most: 1, twice as many with each answer that begins. Counts what came beyond. */
class WakingCap {
  readonly #slots: number;
  #cap: number;
  #inflight = 0;
  over = 0;

  constructor(slots: number) {
    this.#slots = slots;
    this.#cap = slots;
  }

  woke(): void {
    this.#cap = 1;
  }

  sent(): void {
    this.#inflight += 1;
    if (this.#cap < this.#slots && this.#inflight > this.#cap) this.over += 1;
  }

  /** The first token of a stream, or a whole answer. */
  answered(): void {
    this.#cap = Math.min(this.#slots, this.#cap * 2);
  }

  ended(): void {
    this.#inflight -= 1;
  }
}
