import { Affinity } from './affinity.js';
import { AnswerLengths } from './answer-lengths.js';
import type { EngineFacts } from './decide/guess-rates.js';
import { guessRates } from './decide/guess-rates.js';
import { predictCost } from './decide/predict-cost.js';
import type { PredictSettings } from './predict-settings.js';
import { emptyPrediction, type Prediction, type RequestSize } from './predict-types.js';
import { ReplicaModel } from './replica-model.js';
import type { Work } from './replica-work.js';
import { type Asker, TrackedWork } from './tracked-work.js';

/** What is sent, as far as it tells how long it will take. */
export interface SentShape {
  readonly promptBytes: number | null;
  readonly streams: boolean;
  readonly choices: number;
  readonly believedTokens: number;
}

/** Owns what is learned of engines and of answers. */
export class Predictor {
  readonly settings: PredictSettings;
  readonly lengths: AnswerLengths;
  readonly affinity: Affinity;
  readonly #prediction: Prediction = emptyPrediction();

  constructor(settings: PredictSettings) {
    this.settings = settings;
    this.lengths = new AnswerLengths(settings.lengths);
    this.affinity = new Affinity(settings.affinity);
  }

  modelFor(facts: EngineFacts | null, slots: number): ReplicaModel {
    return new ReplicaModel(guessRates(facts), slots, this.settings);
  }

  /** A request goes to a replica whose slot is taken for it. */
  sent(model: ReplicaModel, size: RequestSize, shape: SentShape, asker: Asker, nowMs: number): Work {
    const { cost, weights } = this.settings;
    predictCost(model.load(nowMs), model.rates, size, weights, cost, this.#prediction);
    const work = model.sent({ size, ...shape }, this.#prediction, nowMs);
    return new TrackedWork(this.lengths, asker, work);
  }

  /** A request goes to a provider, or where no card is asked. */
  sentAway(asker: Asker): Work {
    return new TrackedWork(this.lengths, asker, null);
  }
}
