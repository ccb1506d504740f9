import { freshRates, learnRates, type RateObservation, restartRates } from './decide/learn-rates.js';
import type { PredictSettings } from './predict-settings.js';
import type { Rates } from './predict-types.js';

/** What was learned of an engine; plain values, to be kept. */
export interface RatesSnapshot {
  readonly prior: Rates;
  readonly rates: Rates;
  readonly normal: readonly number[];
  readonly target: readonly number[];
  readonly scale: number;
  readonly observations: number;
  readonly bytesPerToken: number;
  readonly firstRequestSeconds: number;
  readonly hitTrust: number;
}

/** What an engine's answers have told of it, and what outlives the program. */
export class LearnedEngine {
  readonly #settings: PredictSettings;
  readonly #state: ReturnType<typeof freshRates>;
  #bytesPerToken: number;
  #firstRequestSeconds: number;
  #hitTrust: number;
  #changes = 0;

  constructor(prior: Rates, settings: PredictSettings) {
    this.#settings = settings;
    this.#state = freshRates(prior);
    this.#bytesPerToken = settings.tokens.bytesPerToken;
    this.#firstRequestSeconds = settings.cold.firstSeconds;
    this.#hitTrust = settings.hits.trust;
  }

  /** The same object for ever, brought up to date with each answer. */
  get rates(): Rates {
    return this.#state.rates;
  }

  /** Answers that the rates were learned from. */
  get observations(): number {
    return this.#state.observations;
  }

  get bytesPerToken(): number {
    return this.#bytesPerToken;
  }

  /** What its first request after a start is expected to take longer. */
  get firstRequestSeconds(): number {
    return this.#firstRequestSeconds;
  }

  /** Share of what it was believed to have in its prefix cache that it turned out to have. */
  get hitTrust(): number {
    return this.#hitTrust;
  }

  /** How often anything was learned. */
  get changes(): number {
    return this.#changes;
  }

  /** More has become known of the engine. What it has answered itself is known better. */
  adoptPrior(prior: Rates, bytesPerToken: number | null): void {
    if (this.observations > 0) return;
    restartRates(this.#state, prior);
    if (bytesPerToken !== null && this.#changes === 0) this.#bytesPerToken = bytesPerToken;
  }

  /** What an earlier program learned of it. */
  restore(snapshot: RatesSnapshot): void {
    const { prior, rates, normal, target, scale, observations } = snapshot;
    restartRates(this.#state, prior);
    Object.assign(this.#state.rates, rates);
    this.#state.normal.set(normal);
    this.#state.target.set(target);
    this.#state.scale = scale;
    this.#state.observations = observations;
    this.#bytesPerToken = snapshot.bytesPerToken;
    this.#firstRequestSeconds = snapshot.firstRequestSeconds;
    this.#hitTrust = snapshot.hitTrust;
  }

  snapshot(): RatesSnapshot {
    const { prior, rates, normal, target, scale, observations } = this.#state;
    return {
      prior: { ...prior },
      rates: { ...rates },
      normal: Array.from(normal),
      target: Array.from(target),
      scale,
      observations,
      bytesPerToken: this.#bytesPerToken,
      firstRequestSeconds: this.#firstRequestSeconds,
      hitTrust: this.#hitTrust,
    };
  }

  /** As if it had never answered. */
  forget(prior: Rates): void {
    restartRates(this.#state, prior);
    this.#bytesPerToken = this.#settings.tokens.bytesPerToken;
    this.#firstRequestSeconds = this.#settings.cold.firstSeconds;
    this.#hitTrust = this.#settings.hits.trust;
    this.#changes += 1;
  }

  /** @returns ln(seen / predicted); NaN where it says nothing */
  learnRates(seen: RateObservation): number {
    this.#changes += 1;
    return learnRates(this.#state, seen, this.#settings.learn);
  }

  learnDensity(promptBytes: number, promptTokens: number): void {
    const { least, most, smoothing } = this.#settings.tokens;
    const seen = Math.min(most, Math.max(least, promptBytes / promptTokens));
    this.#changes += 1;
    this.#bytesPerToken += (seen - this.#bytesPerToken) * smoothing;
  }

  /** @param believedTokens of a prompt, that it was believed to have; @param hadTokens as it says itself */
  learnHit(believedTokens: number, hadTokens: number): void {
    this.#changes += 1;
    this.#hitTrust +=
      (Math.min(1, hadTokens / believedTokens) - this.#hitTrust) * this.#settings.hits.smoothing;
  }

  /** @param beyondSeconds what a first request after a start took longer than its rates say */
  learnFirst(beyondSeconds: number): void {
    this.#changes += 1;
    this.#firstRequestSeconds += (beyondSeconds - this.#firstRequestSeconds) * this.#settings.cold.smoothing;
  }
}
