import type { RateObservation } from './decide/learn-rates.js';
import { nextFreeSeconds } from './decide/next-free.js';
import { type DensityTrust, freshDensityTrust, isDensityKnown, noteDensity } from './decide/trust-density.js';
import { DriftWatch } from './drift-watch.js';
import { LearnedEngine } from './learned-engine.js';
import type { PredictSettings } from './predict-settings.js';
import { emptyLoad, type Prediction, type Rates, type ReplicaLoad } from './predict-types.js';
import {
  ReplicaWork,
  type SentRequest,
  type Work,
  type WorkEnd,
  type WorkOwner,
  type WorkPhase,
} from './replica-work.js';
import { WorkList } from './work-list.js';

/**
 * What is under way at one engine and how fast it is, as our own requests tell. Every event costs the same, however
 * many requests there are; the sums are those of the requests under way at every moment. No clock and no I/O: whoever
 * has them hands the time in. Times are monotonic milliseconds and never go back.
 */
export class ReplicaModel implements WorkOwner {
  readonly #settings: PredictSettings;
  readonly #load: ReplicaLoad = emptyLoad();
  readonly learned: LearnedEngine;
  readonly #densityTrust: DensityTrust = freshDensityTrust();
  /** Streams whose prompt is not read yet … */
  readonly #unreadStreams = new WorkList<ReplicaWork>();
  /** … and whole answers that are believed to be there. Each in the order of sending. */
  readonly #unreadWhole = new WorkList<ReplicaWork>();
  /** Those that answers are written to, in the order in which their prompts were read. */
  readonly #taken = new WorkList<ReplicaWork>();
  #open = 0;
  #answerTokens = 0;
  /** When something that is believed to happen is next due. */
  #dueMs = Number.POSITIVE_INFINITY;
  #lastReadMs = Number.NEGATIVE_INFINITY;
  /** Since when the engine works on nothing but what is unread. */
  #frontierMs = 0;
  /** Streams that have begun and not ended. */
  #streaming = 0;
  /** The sums below are up to this moment: requests being answered over time, others' included, and prompt tokens that were read. */
  #atMs = 0;
  #decodingSeconds = 0;
  #readTokens = 0;
  readonly #drift: DriftWatch;
  /** When what fades by itself is looked at again. */
  #tendAtMs = Number.NEGATIVE_INFINITY;
  #kvUsedTokens = 0;
  #kvTrust = 1;
  /** Answers after it became ready that are not learned from. */
  #warmUps = 0;
  /** While its first answer since then is still to come. */
  #readyAtMs: number | null = null;
  readonly #seen: RateObservation = {
    iterations: 0,
    decodingIterations: 0,
    promptTokens: 0,
    seconds: 0,
    trust: 0,
  };

  constructor(prior: Rates, slots: number, settings: PredictSettings) {
    this.#settings = settings;
    this.#drift = new DriftWatch(settings);
    this.learned = new LearnedEngine(prior, settings);
    this.#load.slots = slots;
  }

  /** What `load` brings up to date. */
  get current(): ReplicaLoad {
    return this.#load;
  }

  get rates(): Rates {
    return this.learned.rates;
  }

  get bytesPerToken(): number {
    return this.learned.bytesPerToken;
  }

  /** Whether it was learned well enough for prompts to be measured by it. */
  get isDensityKnown(): boolean {
    return isDensityKnown(this.#densityTrust);
  }

  get open(): number {
    return this.#open;
  }

  set slots(slots: number) {
    this.#load.slots = slots;
  }

  /** It has just come up: its first request is known to be slow, and tells nothing of its rates. */
  becameReady(nowMs: number, isCold = true): void {
    this.#warmUps = this.#settings.cold.unlearned;
    this.#readyAtMs = isCold ? nowMs : null;
    this.#tendAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Requests of others, as estimated for now. */
  othersAre(requests: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#load.external = requests;
  }

  /**
   * @param usageRatio share of the key-value cache in use; `null`: not told
   * @param capacityTokens of that cache; `null`: not told
   * @param trust 1 for a fresh reading, falling towards 0 with its age
   */
  cacheIs(usageRatio: number | null, capacityTokens: number | null, trust: number): void {
    const load = this.#load;
    if (capacityTokens !== null && capacityTokens > 0) load.kvCapacityTokens = capacityTokens;
    this.#kvUsedTokens = (usageRatio ?? this.#settings.unknownKvUsageRatio) * load.kvCapacityTokens;
    this.#kvTrust = usageRatio === null ? 1 : trust;
    this.#countOthersKv();
    load.kvUsageRatio = usageRatio !== null && trust >= 1 ? usageRatio : -1;
  }

  /**
   * What is under way now. The object is the same each time, and is brought up to date by the next call. It costs next
   * to nothing while nothing is due: a thousand replicas are asked for each request.
   */
  load(nowMs: number): ReplicaLoad {
    if (nowMs >= this.#dueMs) this.#pass(nowMs);
    const load = this.#load;
    if (load.prefilling > 0) load.frontierAgeSeconds = Math.max(0, nowMs - this.#frontierMs) / 1000;
    if (nowMs >= this.#tendAtMs) this.#tend(nowMs);
    return load;
  }

  /**
   * Asked for people and for refusals, not for decisions: it looks at each request under way.
   *
   * @returns seconds until the first of our own is expected to end; `null` where none is under way
   */
  nextFreeSeconds(nowMs: number): number | null {
    const load = this.load(nowMs);
    const unread = [this.#unreadStreams.first, this.#unreadWhole.first];
    const { tokensPerEvent } = this.#drift;
    return nextFreeSeconds(this.#taken.first, unread, load, this.rates, tokensPerEvent, nowMs);
  }

  /** @param prediction as it was for this request, with what was under way before it */
  sent(request: SentRequest, prediction: Prediction, nowMs: number): Work {
    this.#pass(nowMs);
    const { streams } = request;
    const work = new ReplicaWork(this, request, prediction, nowMs);
    const list = streams ? this.#unreadStreams : this.#unreadWhole;
    const { hungFactor, leastHungMs } = this.#settings;
    const startMs = Number.isFinite(prediction.startSeconds) ? prediction.startSeconds * 1000 : leastHungMs;
    const ownDueMs = nowMs + (streams ? Math.max(hungFactor * startMs, leastHungMs) : startMs);
    // Engines read prompts in the order in which they come.
    work.dueMs = Math.max(ownDueMs, list.last?.dueMs ?? Number.NEGATIVE_INFINITY);
    work.decodingBefore = this.#decodingSeconds;
    work.readBefore = this.#readTokens;
    list.add(work);
    const load = this.#load;
    load.prefilling += 1;
    load.backlogTokens += work.uncachedTokens;
    this.#hold(work, +1);
    this.#lookAtHeads();
    return work;
  }

  firstByteOf(work: ReplicaWork, nowMs: number): void {
    this.#pass(nowMs);
    if (work.phase === 'unread') this.#takeUp(work, this.#unreadStreams);
    else if (work.phase !== 'assumed') return;
    work.phase = 'writing';
    this.#noteRead(work);
    this.#lastReadMs = nowMs;
    this.#lookAtHeads();
    this.#streaming += 1;
    this.#observe(work, work.iterations + 0.5, work.sentMs, nowMs);
    work.firstMs = nowMs;
    work.decodingBefore = this.#decodingSeconds;
    work.readBefore = this.#readTokens;
  }

  eventsCame(events: number): void {
    this.#drift.eventsCame(events);
  }

  endedAs(work: ReplicaWork, end: WorkEnd, nowMs: number): void {
    this.#pass(nowMs);
    this.#lookAtPace(nowMs);
    const load = this.#load;
    const { phase } = work;
    if (phase === 'unread') {
      this.#listOf(work).remove(work);
      load.prefilling -= 1;
      load.backlogTokens -= work.uncachedTokens;
      if (end.kind === 'whole') this.#noteRead(work);
      this.#lookAtHeads();
    } else {
      this.#taken.remove(work);
      load.decoding -= 1;
      if (phase === 'writing') this.#streaming -= 1;
    }
    work.phase = 'ended';
    this.#hold(work, -1);
    if (end.kind === 'whole') this.#learnFrom(work, phase, end, nowMs);
  }

  #learnFrom(
    work: ReplicaWork,
    phase: WorkPhase,
    end: Extract<WorkEnd, { kind: 'whole' }>,
    nowMs: number,
  ): void {
    this.#learnDensity(work, end.promptTokens);
    const { cachedTokens = null } = end;
    if (cachedTokens !== null && work.believedTokens > 0) {
      this.learned.learnHit(work.believedTokens, cachedTokens);
    }
    const { completionTokens } = end;
    if (end.wasPaused || work.choices > 1) return;
    const { shortAnswer } = this.#settings;
    if (work.streams) {
      if (phase !== 'writing') return;
      const tokens = completionTokens ?? work.events;
      if (completionTokens !== null) this.#drift.learnTokensPerEvent(completionTokens, work.events);
      if (tokens >= shortAnswer) this.#observe(work, tokens - 1, work.firstMs, nowMs);
    } else if (work.answerTokens === 0) {
      this.#observe(work, work.iterations + 0.5, work.sentMs, nowMs);
    } else if (completionTokens !== null) {
      this.#observe(work, work.iterations + completionTokens - 0.5, work.sentMs, nowMs);
    }
  }

  /** Since `fromMs`, when the work's marks were taken. */
  #observe(work: ReplicaWork, iterations: number, fromMs: number, nowMs: number): void {
    const seconds = (nowMs - fromMs) / 1000;
    if (seconds <= 0) return;
    const seen = this.#seen;
    const decoding = (this.#decodingSeconds - work.decodingBefore) / seconds;
    seen.iterations = iterations;
    seen.decodingIterations = iterations * decoding;
    seen.promptTokens = this.#readTokens - work.readBefore;
    seen.seconds = seconds;
    seen.trust = this.#warmUps > 0 ? 0 : this.#trust();
    const deviation = this.learned.learnRates(seen);
    if (this.#warmUps > 0) {
      this.#warmUps -= 1;
      this.#learnCold(seconds, deviation);
      return;
    }
    this.#drift.requestEnded(deviation, nowMs);
    this.#tendAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Others' load or a throttled card shows in the times too: what is out of the ordinary is learned slowly. */
  #trust(): number {
    const off = Math.log(this.#load.drift) / this.#settings.trustWidth;
    return Math.max(this.#settings.leastTrust, Math.exp(-off * off));
  }

  #learnCold(seconds: number, deviation: number): void {
    if (this.#readyAtMs === null) return;
    this.#readyAtMs = null;
    this.#tendAtMs = Number.NEGATIVE_INFINITY;
    if (!Number.isFinite(deviation)) return;
    const beyond = Math.max(0, seconds - seconds / Math.exp(deviation));
    this.learned.learnFirst(beyond);
  }

  /** It fades: an idle newcomer gets its first request in any case. */
  #coldSeconds(nowMs: number): number {
    if (this.#readyAtMs === null) return 0;
    return (
      this.learned.firstRequestSeconds * 2 ** (-(nowMs - this.#readyAtMs) / this.#settings.cold.halfLifeMs)
    );
  }

  #learnDensity(work: ReplicaWork, promptTokens: number | null): void {
    if (work.promptBytes === null || promptTokens === null || promptTokens < 1) return;
    noteDensity(this.#densityTrust, work.promptBytes / promptTokens / this.bytesPerToken);
    this.learned.learnDensity(work.promptBytes, promptTokens);
  }

  /** Takes a request's part of what is held and expected in, or out again. */
  #hold(work: ReplicaWork, by: 1 | -1): void {
    const load = this.#load;
    load.kvOwnTokens += by * work.kvTokens;
    this.#answerTokens += by * work.answerTokens;
    this.#open += by;
    load.meanAnswerTokens = this.#open === 0 ? 0 : this.#answerTokens / this.#open;
    this.#countOthersKv();
  }

  /** What others hold of the cache: what was told, less our own. */
  #countOthersKv(): void {
    const load = this.#load;
    load.kvOtherTokens = Math.max(0, this.#kvUsedTokens - load.kvOwnTokens) * this.#kvTrust;
  }

  /** Whose prompt is read now, and what is due next. */
  #lookAtHeads(): void {
    const stream = this.#unreadStreams.first;
    const whole = this.#unreadWhole.first;
    this.#dueMs = Math.min(
      stream?.dueMs ?? Number.POSITIVE_INFINITY,
      whole?.dueMs ?? Number.POSITIVE_INFINITY,
    );
    if (stream === null && whole === null) this.#load.frontierAgeSeconds = 0;
    const oldestMs = Math.min(
      stream?.sentMs ?? Number.POSITIVE_INFINITY,
      whole?.sentMs ?? Number.POSITIVE_INFINITY,
    );
    this.#frontierMs = Math.max(oldestMs, this.#lastReadMs);
  }

  /** Brings the sums to `nowMs`: what is believed to have happened meanwhile, in its order. */
  #pass(nowMs: number): void {
    while (this.#dueMs <= nowMs) {
      const atMs = this.#dueMs;
      this.#integrate(atMs);
      const whole = this.#unreadWhole.first;
      const stream = this.#unreadStreams.first;
      if (whole !== null && whole.dueMs <= atMs) {
        this.#takeUp(whole, this.#unreadWhole);
        whole.phase = 'assumed';
        this.#noteRead(whole);
        this.#lastReadMs = Math.max(this.#lastReadMs, atMs);
      } else if (stream !== null) {
        // It may hang: then it must not count as a prompt that is still to be read for ever.
        this.#takeUp(stream, this.#unreadStreams);
        stream.phase = 'assumed';
      }
      this.#lookAtHeads();
    }
    this.#integrate(nowMs);
  }

  #takeUp(work: ReplicaWork, list: WorkList<ReplicaWork>): void {
    list.remove(work);
    this.#taken.add(work);
    const load = this.#load;
    load.prefilling -= 1;
    load.backlogTokens -= work.uncachedTokens;
    load.decoding += 1;
  }

  #noteRead({ uncachedTokens }: ReplicaWork): void {
    this.#readTokens += uncachedTokens;
    this.#drift.promptRead(uncachedTokens, this.#streaming);
  }

  #integrate(nowMs: number): void {
    const seconds = (nowMs - this.#atMs) / 1000;
    if (seconds <= 0) return;
    const decoding = this.#load.decoding + this.#load.external;
    this.#decodingSeconds += decoding * seconds;
    this.#drift.timePassed(seconds, this.#streaming, decoding);
    this.#atMs = nowMs;
  }

  /** What was seen up to a stream's end is noted then: whoever asks next may do so much later. */
  #lookAtPace(nowMs: number): void {
    if (this.#drift.isSampleDue(nowMs)) this.#drift.samplePace(nowMs, this.rates);
  }

  #listOf(work: ReplicaWork): WorkList<ReplicaWork> {
    return work.streams ? this.#unreadStreams : this.#unreadWhole;
  }

  /** What fades, and what is looked at now and then. */
  #tend(nowMs: number): void {
    this.#tendAtMs = nowMs + TEND_EVERY_MS;
    if (this.#drift.isSampleDue(nowMs)) {
      this.#pass(nowMs);
      this.#drift.samplePace(nowMs, this.rates);
    }
    this.#load.drift = this.#drift.factor(nowMs);
    this.#load.coldSeconds = this.#coldSeconds(nowMs);
  }
}

/** Powers are dear. */
const TEND_EVERY_MS = 250;
