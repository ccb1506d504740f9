import { freshRates, learnRates, type RateObservation, type RateState } from './decide/learn-rates.js';
import { nextFreeSeconds } from './decide/next-free.js';
import { type DriftState, driftAt, driftFactor, freshDrift, stepDrift } from './decide/step-drift.js';
import { type DensityTrust, freshDensityTrust, isDensityKnown, noteDensity } from './decide/trust-density.js';
import type { PredictSettings } from './predict-settings.js';
import {
  emptyLoad,
  type Prediction,
  type Rates,
  type ReplicaLoad,
  type RequestSize,
} from './predict-types.js';
import { WorkList } from './work-list.js';

/** How a request ended at a replica. */
export type WorkEnd =
  | {
      readonly kind: 'whole';
      readonly promptTokens: number | null;
      readonly completionTokens: number | null;
      /** Its client did not read as fast as the engine wrote: its times say nothing. */
      readonly wasPaused: boolean;
    }
  | { readonly kind: 'broken' };

/** One request at a replica, from its sending to its end. Later calls than `ended` do nothing. */
export interface Work {
  /** The first token of a stream, or the first byte of a whole answer. */
  firstByte(nowMs: number): void;
  /** Events of a stream that came since the last call. */
  progressed(events: number): void;
  ended(end: WorkEnd, nowMs: number): void;
}

export interface SentRequest {
  readonly size: RequestSize;
  /** `null`: its length in bytes says nothing of its tokens. */
  readonly promptBytes: number | null;
  readonly streams: boolean;
  /** Answers that are asked for at once. */
  readonly choices: number;
}

/**
 * What is under way at one engine and how fast it is, as our own requests tell. Every event costs the same, however
 * many requests there are; the sums are those of the requests under way at every moment. No clock and no I/O: whoever
 * has them hands the time in. Times are monotonic milliseconds and never go back.
 */
export class ReplicaModel {
  readonly #settings: PredictSettings;
  readonly #load: ReplicaLoad = emptyLoad();
  #learned: RateState;
  #bytesPerToken: number;
  readonly #densityTrust: DensityTrust = freshDensityTrust();
  /** Streams whose prompt is not read yet … */
  readonly #unreadStreams = new WorkList<ReplicaWork>();
  /** … and whole answers that are believed to be there. Each in the order of sending. */
  readonly #unreadWhole = new WorkList<ReplicaWork>();
  /** Those that answers are written to, in the order in which their prompts were read. */
  readonly #taken = new WorkList<ReplicaWork>();
  #open = 0;
  #answerTokens = 0;
  #atMs = 0;
  /** Integral of requests being answered over time, others' included. Seconds. */
  #decodingSeconds = 0;
  /** Prompt tokens read, since ever. */
  #readTokens = 0;
  #lastReadMs = Number.NEGATIVE_INFINITY;
  /** Streams that have begun and not ended; and the integral of that, for the pace. */
  #streaming = 0;
  #streamSeconds = 0;
  #events = 0;
  #tokensPerEvent = 1;
  #sampledAtMs = 0;
  #sampledDecoding = 0;
  #sampledRead = 0;
  readonly #doneDrift: DriftState = freshDrift();
  readonly #liveDrift: DriftState = freshDrift();
  #driftAtMs = Number.NEGATIVE_INFINITY;
  /** Answers after it became ready that are not learned from. */
  #warmUps = 0;
  #firstRequestSeconds: number;
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
    this.#learned = freshRates(prior);
    this.#bytesPerToken = settings.tokens.bytesPerToken;
    this.#firstRequestSeconds = settings.cold.firstSeconds;
    this.#load.slots = slots;
  }

  /** What `load` brings up to date. */
  get current(): ReplicaLoad {
    return this.#load;
  }

  get rates(): Rates {
    return this.#learned.rates;
  }

  get observations(): number {
    return this.#learned.observations;
  }

  get bytesPerToken(): number {
    return this.#bytesPerToken;
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

  /** More has become known of the engine. What it has answered itself is known better. */
  adoptPrior(prior: Rates): void {
    if (this.#learned.observations === 0) this.#learned = freshRates(prior);
  }

  /** What its first request after a start is expected to take longer. */
  get firstRequestSeconds(): number {
    return this.#firstRequestSeconds;
  }

  /** It has just come up: its first request is known to be slow, and tells nothing of its rates. */
  becameReady(nowMs: number): void {
    this.#warmUps = this.#settings.cold.unlearned;
    this.#readyAtMs = nowMs;
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
    const assumed = usageRatio ?? this.#settings.unknownKvUsageRatio;
    const weight = usageRatio === null ? 1 : trust;
    load.kvOtherTokens = Math.max(0, assumed * load.kvCapacityTokens - load.kvOwnTokens) * weight;
    load.kvUsageRatio = usageRatio !== null && trust >= 1 ? usageRatio : -1;
  }

  /** What is under way now. The object is the same each time, and is brought up to date by the next call. */
  load(nowMs: number): ReplicaLoad {
    this.#pass(nowMs);
    const load = this.#load;
    load.frontierAgeSeconds = load.prefilling === 0 ? 0 : Math.max(0, nowMs - this.#frontierMs()) / 1000;
    load.meanAnswerTokens = this.#open === 0 ? 0 : this.#answerTokens / this.#open;
    load.coldSeconds = this.#coldSeconds(nowMs);
    this.#samplePace(nowMs);
    if (nowMs - this.#driftAtMs > DRIFT_EVERY_MS) this.#updateDrift(nowMs);
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
    return nextFreeSeconds(this.#taken.first, unread, load, this.rates, nowMs);
  }

  /** @param prediction as it was for this request, with what was under way before it */
  sent(request: SentRequest, prediction: Prediction, nowMs: number): Work {
    this.#pass(nowMs);
    const { streams } = request;
    const work = new ReplicaWork(this, request, prediction, nowMs);
    const list = streams ? this.#unreadStreams : this.#unreadWhole;
    const { hungFactor, leastHungMs } = this.#settings;
    const startMs = prediction.startSeconds * 1000;
    const ownDueMs = nowMs + (streams ? Math.max(hungFactor * startMs, leastHungMs) : startMs);
    // Engines read prompts in the order in which they come.
    work.dueMs = Math.max(ownDueMs, list.last?.dueMs ?? Number.NEGATIVE_INFINITY);
    work.decodingBefore = this.#decodingSeconds;
    work.readBefore = this.#readTokens;
    list.add(work);
    const load = this.#load;
    load.prefilling += 1;
    load.backlogTokens += work.uncachedTokens;
    load.kvOwnTokens += work.kvTokens;
    this.#answerTokens += work.answerTokens;
    this.#open += 1;
    return work;
  }

  firstByteOf(work: ReplicaWork, nowMs: number): void {
    this.#pass(nowMs);
    if (work.phase === 'unread') this.#takeUp(work, this.#unreadStreams);
    else if (work.phase !== 'assumed') return;
    work.phase = 'writing';
    this.#readTokens += work.uncachedTokens;
    this.#lastReadMs = nowMs;
    this.#streaming += 1;
    this.#observe(work, work.iterations + 0.5, work.sentMs, nowMs);
    work.firstMs = nowMs;
    work.decodingBefore = this.#decodingSeconds;
    work.readBefore = this.#readTokens;
  }

  eventsCame(events: number): void {
    this.#events += events;
  }

  endedAs(work: ReplicaWork, end: WorkEnd, nowMs: number): void {
    this.#pass(nowMs);
    const load = this.#load;
    const { phase } = work;
    if (phase === 'unread') {
      this.#listOf(work).remove(work);
      load.prefilling -= 1;
      load.backlogTokens -= work.uncachedTokens;
      if (end.kind === 'whole') this.#readTokens += work.uncachedTokens;
    } else {
      this.#taken.remove(work);
      load.decoding -= 1;
      if (phase === 'writing') this.#streaming -= 1;
    }
    work.phase = 'ended';
    load.kvOwnTokens -= work.kvTokens;
    this.#answerTokens -= work.answerTokens;
    this.#open -= 1;
    if (end.kind === 'whole') this.#learnFrom(work, phase, end, nowMs);
  }

  #learnFrom(
    work: ReplicaWork,
    phase: WorkPhase,
    end: Extract<WorkEnd, { kind: 'whole' }>,
    nowMs: number,
  ): void {
    this.#learnDensity(work, end.promptTokens);
    const { completionTokens } = end;
    if (end.wasPaused || work.choices > 1) return;
    const { shortAnswer } = this.#settings;
    if (work.streams) {
      if (phase !== 'writing') return;
      const tokens = completionTokens ?? work.events;
      if (completionTokens !== null) this.#learnTokensPerEvent(completionTokens, work.events);
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
    const deviation = learnRates(this.#learned, seen, this.#settings.learn);
    if (this.#warmUps > 0) {
      this.#warmUps -= 1;
      this.#learnCold(seconds, deviation);
      return;
    }
    stepDrift(this.#doneDrift, deviation, nowMs, this.#settings.doneDrift);
    this.#driftAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Others' load or a throttled card shows in the times too: what is out of the ordinary is learned slowly. */
  #trust(): number {
    const off = Math.log(this.#load.drift) / this.#settings.trustWidth;
    return Math.max(this.#settings.leastTrust, Math.exp(-off * off));
  }

  #learnCold(seconds: number, deviation: number): void {
    if (this.#readyAtMs === null) return;
    this.#readyAtMs = null;
    if (!Number.isFinite(deviation)) return;
    const beyond = Math.max(0, seconds - seconds / Math.exp(deviation));
    this.#firstRequestSeconds += (beyond - this.#firstRequestSeconds) * this.#settings.cold.smoothing;
  }

  /** It fades: an idle newcomer gets its first request in any case. */
  #coldSeconds(nowMs: number): number {
    if (this.#readyAtMs === null) return 0;
    return this.#firstRequestSeconds * 2 ** (-(nowMs - this.#readyAtMs) / this.#settings.cold.halfLifeMs);
  }

  #learnDensity(work: ReplicaWork, promptTokens: number | null): void {
    if (work.promptBytes === null || promptTokens === null || promptTokens < 1) return;
    const { least, most, smoothing } = this.#settings.tokens;
    const seen = Math.min(most, Math.max(least, work.promptBytes / promptTokens));
    noteDensity(this.#densityTrust, seen / this.#bytesPerToken);
    this.#bytesPerToken += (seen - this.#bytesPerToken) * smoothing;
  }

  #learnTokensPerEvent(tokens: number, events: number): void {
    if (events < this.#settings.shortAnswer) return;
    const seen = Math.min(MOST_TOKENS_PER_EVENT, Math.max(1, tokens / events));
    this.#tokensPerEvent += (seen - this.#tokensPerEvent) * TOKENS_PER_EVENT_SMOOTHING;
  }

  /** Brings the sums to `nowMs`: what is believed to have happened meanwhile, in its order. */
  #pass(nowMs: number): void {
    for (;;) {
      const stream = this.#unreadStreams.first;
      const whole = this.#unreadWhole.first;
      const streamMs = stream?.dueMs ?? Number.POSITIVE_INFINITY;
      const wholeMs = whole?.dueMs ?? Number.POSITIVE_INFINITY;
      if (Math.min(streamMs, wholeMs) > nowMs) break;
      this.#integrate(Math.min(streamMs, wholeMs));
      if (whole !== null && wholeMs <= streamMs) {
        this.#takeUp(whole, this.#unreadWhole);
        whole.phase = 'assumed';
        this.#readTokens += whole.uncachedTokens;
        this.#lastReadMs = Math.max(this.#lastReadMs, wholeMs);
      } else if (stream !== null) {
        // It may hang: then it must not count as a prompt that is still to be read for ever.
        this.#takeUp(stream, this.#unreadStreams);
        stream.phase = 'assumed';
      }
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

  #integrate(nowMs: number): void {
    const seconds = (nowMs - this.#atMs) / 1000;
    if (seconds <= 0) return;
    this.#decodingSeconds += (this.#load.decoding + this.#load.external) * seconds;
    this.#streamSeconds += this.#streaming * seconds;
    this.#atMs = nowMs;
  }

  #listOf(work: ReplicaWork): WorkList<ReplicaWork> {
    return work.streams ? this.#unreadStreams : this.#unreadWhole;
  }

  /** Since when the engine works on nothing but what is unread. */
  #frontierMs(): number {
    const stream = this.#unreadStreams.first?.sentMs ?? Number.POSITIVE_INFINITY;
    const whole = this.#unreadWhole.first?.sentMs ?? Number.POSITIVE_INFINITY;
    return Math.max(Math.min(stream, whole), this.#lastReadMs);
  }

  /** The pace of streams tells of a slow engine before any of them ends. */
  #samplePace(nowMs: number): void {
    const elapsedMs = nowMs - this.#sampledAtMs;
    const { leastMs, mostMs, leastEvents } = this.#settings.paceSample;
    if (elapsedMs < leastMs) return;
    if (this.#events < leastEvents) {
      if (elapsedMs > mostMs) this.#markSample(nowMs);
      return;
    }
    const seconds = elapsedMs / 1000;
    const rates = this.rates;
    const decoding = (this.#decodingSeconds - this.#sampledDecoding) / seconds;
    const step = rates.iterationSeconds + rates.perDecodingSeconds * decoding;
    const readPerSecond = (this.#readTokens - this.#sampledRead) / seconds;
    const expected = step + rates.perPromptTokenSeconds * readPerSecond * step;
    const seen = this.#streamSeconds / (this.#events * this.#tokensPerEvent);
    const deviation = Math.min(2, Math.max(-1, Math.log(seen / expected)));
    stepDrift(this.#liveDrift, deviation, nowMs, this.#settings.liveDrift);
    this.#driftAtMs = Number.NEGATIVE_INFINITY;
    this.#markSample(nowMs);
  }

  #markSample(nowMs: number): void {
    this.#sampledAtMs = nowMs;
    this.#sampledDecoding = this.#decodingSeconds;
    this.#sampledRead = this.#readTokens;
    this.#streamSeconds = 0;
    this.#events = 0;
  }

  #updateDrift(nowMs: number): void {
    const { liveDrift, doneDrift, driftBand } = this.#settings;
    const live = driftAt(this.#liveDrift, nowMs, liveDrift);
    this.#load.drift = driftFactor(live, driftAt(this.#doneDrift, nowMs, doneDrift), driftBand);
    this.#driftAtMs = nowMs;
  }
}

/** Powers are dear: a thousand candidates are asked for each request. */
const DRIFT_EVERY_MS = 250;
const MOST_TOKENS_PER_EVENT = 16;
const TOKENS_PER_EVENT_SMOOTHING = 0.1;

/** `assumed`: its prompt counts as read though nothing of its answer has come. */
type WorkPhase = 'unread' | 'assumed' | 'writing' | 'ended';

class ReplicaWork implements Work {
  before: ReplicaWork | null = null;
  after: ReplicaWork | null = null;
  phase: WorkPhase = 'unread';
  dueMs = 0;
  firstMs = 0;
  decodingBefore = 0;
  readBefore = 0;
  events = 0;
  readonly sentMs: number;
  readonly streams: boolean;
  readonly choices: number;
  readonly promptBytes: number | null;
  readonly uncachedTokens: number;
  readonly answerTokens: number;
  readonly kvTokens: number;
  readonly iterations: number;
  readonly #model: ReplicaModel;

  constructor(model: ReplicaModel, request: SentRequest, prediction: Prediction, nowMs: number) {
    this.#model = model;
    this.sentMs = nowMs;
    this.streams = request.streams;
    this.choices = request.choices;
    this.promptBytes = request.promptBytes;
    const { promptTokens, answerTokens } = request.size;
    // Whole numbers: their sums are exact, in whatever order they come and go.
    this.uncachedTokens = Math.ceil(prediction.uncachedTokens);
    this.answerTokens = Math.ceil(answerTokens);
    this.kvTokens = Math.ceil(promptTokens) + Math.ceil(answerTokens / 2);
    this.iterations = prediction.iterations;
  }

  firstByte(nowMs: number): void {
    if (this.streams) this.#model.firstByteOf(this, nowMs);
  }

  progressed(events: number): void {
    if (this.phase === 'ended') return;
    this.events += events;
    this.#model.eventsCame(events);
  }

  ended(end: WorkEnd, nowMs: number): void {
    if (this.phase !== 'ended') this.#model.endedAs(this, end, nowMs);
  }
}
