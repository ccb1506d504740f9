import { driftAt, driftFactor, freshDrift, stepDrift, watchDrift } from './decide/step-drift.js';
import type { PredictSettings } from './predict-settings.js';
import type { Rates } from './predict-types.js';

const MOST_TOKENS_PER_EVENT = 16;
const TOKENS_PER_EVENT_SMOOTHING = 0.1;

/** How far an engine is from what its rates say: by requests that ended, and by the pace of streams under way. */
export class DriftWatch {
  readonly #settings: PredictSettings;
  readonly #done = freshDrift();
  readonly #live = freshDrift();
  #tokensPerEvent = 1;
  #sampledAtMs = 0;
  /** What follows is since the last sample, and of the time alone in which streams were open: the rest says nothing of their pace. */
  #events = 0;
  #seconds = 0;
  /** Integrals over that time: of streams, and of answers being written, others' included. */
  #streamSeconds = 0;
  #decodingSeconds = 0;
  /** Of prompts that were read beside them. */
  #readTokens = 0;

  constructor(settings: PredictSettings) {
    this.#settings = settings;
  }

  get tokensPerEvent(): number {
    return this.#tokensPerEvent;
  }

  eventsCame(events: number): void {
    this.#events += events;
  }

  /** @param streams that were open meanwhile; @param decoding answers that were being written, theirs and others' */
  timePassed(seconds: number, streams: number, decoding: number): void {
    if (streams === 0) return;
    this.#seconds += seconds;
    this.#streamSeconds += streams * seconds;
    this.#decodingSeconds += decoding * seconds;
  }

  /** @param streams that were open while the prompt was read: it held them up */
  promptRead(tokens: number, streams: number): void {
    if (streams > 0) this.#readTokens += tokens;
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

  /**
   * The pace of streams tells of a slow engine before any of them ends. A sample counts for as long as it watched them:
   * who asks seldom, and so sees more of them each time, learns the same as who asks often.
   */
  samplePace(nowMs: number, rates: Rates): void {
    const seconds = this.#seconds;
    if (this.#events >= this.#settings.paceSample.leastEvents && seconds > 0) {
      const step = rates.iterationSeconds + rates.perDecodingSeconds * (this.#decodingSeconds / seconds);
      const expected = step + rates.perPromptTokenSeconds * (this.#readTokens / seconds) * step;
      const seen = this.#streamSeconds / (this.#events * this.#tokensPerEvent);
      const deviation = Math.min(2, Math.max(-1, Math.log(seen / expected)));
      watchDrift(this.#live, deviation, seconds * 1000, nowMs, this.#settings.liveDrift);
    }
    this.#sampledAtMs = nowMs;
    this.#events = 0;
    this.#seconds = 0;
    this.#streamSeconds = 0;
    this.#decodingSeconds = 0;
    this.#readTokens = 0;
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
