import { driftAt, driftFactor, freshDrift, stepDrift } from './decide/step-drift.js';
import type { PredictSettings } from './predict-settings.js';
import type { Rates } from './predict-types.js';

/** What has passed at an engine since ever, as our own requests tell. */
export interface Passed {
  /** Integral over time of requests being answered, others' included. Seconds. */
  readonly decodingSeconds: number;
  /** Prompt tokens that were read. */
  readonly readTokens: number;
  /** Integral over time of streams that have begun and not ended. Seconds. */
  readonly streamSeconds: number;
}

const MOST_TOKENS_PER_EVENT = 16;
const TOKENS_PER_EVENT_SMOOTHING = 0.1;

/** How far an engine is from what its rates say: by requests that ended, and by the pace of streams under way. */
export class DriftWatch {
  readonly #settings: PredictSettings;
  readonly #done = freshDrift();
  readonly #live = freshDrift();
  #events = 0;
  #tokensPerEvent = 1;
  #sampledAtMs = 0;
  #sampledDecoding = 0;
  #sampledRead = 0;
  #sampledStreams = 0;

  constructor(settings: PredictSettings) {
    this.#settings = settings;
  }

  get tokensPerEvent(): number {
    return this.#tokensPerEvent;
  }

  eventsCame(events: number): void {
    this.#events += events;
  }

  /** @param deviation ln(seen / predicted) of a request that ended */
  requestEnded(deviation: number, nowMs: number): void {
    stepDrift(this.#done, deviation, nowMs, this.#settings.doneDrift);
  }

  /** Engines put several tokens into one event at times. */
  learnTokensPerEvent(tokens: number, events: number): void {
    if (events < this.#settings.shortAnswer) return;
    const seen = Math.min(MOST_TOKENS_PER_EVENT, Math.max(1, tokens / events));
    this.#tokensPerEvent += (seen - this.#tokensPerEvent) * TOKENS_PER_EVENT_SMOOTHING;
  }

  /** Whether there is a pace to be seen, or what was seen is too long ago: then `samplePace` is due. */
  isSampleDue(nowMs: number): boolean {
    const { leastMs, mostMs, leastEvents } = this.#settings.paceSample;
    const elapsedMs = nowMs - this.#sampledAtMs;
    return elapsedMs >= leastMs && (this.#events >= leastEvents || elapsedMs > mostMs);
  }

  /** The pace of streams tells of a slow engine before any of them ends. */
  samplePace(nowMs: number, passed: Passed, rates: Rates): void {
    if (this.#events >= this.#settings.paceSample.leastEvents) {
      const seconds = (nowMs - this.#sampledAtMs) / 1000;
      const decoding = (passed.decodingSeconds - this.#sampledDecoding) / seconds;
      const step = rates.iterationSeconds + rates.perDecodingSeconds * decoding;
      const readPerSecond = (passed.readTokens - this.#sampledRead) / seconds;
      const expected = step + rates.perPromptTokenSeconds * readPerSecond * step;
      const seen = (passed.streamSeconds - this.#sampledStreams) / (this.#events * this.#tokensPerEvent);
      const deviation = Math.min(2, Math.max(-1, Math.log(seen / expected)));
      stepDrift(this.#live, deviation, nowMs, this.#settings.liveDrift);
    }
    this.#sampledAtMs = nowMs;
    this.#sampledDecoding = passed.decodingSeconds;
    this.#sampledRead = passed.readTokens;
    this.#sampledStreams = passed.streamSeconds;
    this.#events = 0;
  }

  /** Times as slow as the rates say. */
  factor(nowMs: number): number {
    const { liveDrift, doneDrift, driftBand } = this.#settings;
    const { deadBand } = driftBand;
    // It fades towards 0: what is within the band stays there.
    if (Math.abs(this.#live.logRatio) <= deadBand && Math.abs(this.#done.logRatio) <= deadBand) return 1;
    return driftFactor(
      driftAt(this.#live, nowMs, liveDrift),
      driftAt(this.#done, nowMs, doneDrift),
      driftBand,
    );
  }
}
