import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { LiveView } from '../live/live-view.js';
import { engineFacts, engineIdentity } from './engine-facts.js';
import type { LiveReplicaTarget } from './live-replica-target.js';
import { guessRates } from './predict/decide/guess-rates.js';
import { type KeptEngine, LearnedKeeper, type LearnedMemory } from './predict/learned-keeper.js';
import type { Predictor } from './predict/predictor.js';
import type { LearnedOfEngine } from './route-types.js';

export interface LearnedRatesDeps {
  readonly live: LiveView;
  readonly clock: Clock;
  readonly log: Logger;
  /** `null`: nothing outlives the router. */
  readonly memory: LearnedMemory | null;
  readonly lengths: Predictor['lengths'];
  readonly replicas: () => Iterable<LiveReplicaTarget>;
}

type Learning = Pick<LiveReplicaTarget, 'deployment' | 'model'>;

/** What the answers of engines have told: guessed at first, kept where it is to outlive the router, told and forgotten when asked. */
export class LearnedRates {
  readonly #live: LiveView;
  readonly #clock: Clock;
  readonly #keeper: LearnedKeeper | null;

  constructor({ live, clock, log, memory, lengths, replicas }: LearnedRatesDeps) {
    this.#live = live;
    this.#clock = clock;
    const engines = (): Iterable<KeptEngine> => Array.from(replicas(), (each) => this.#kept(each));
    this.#keeper = memory === null ? null : new LearnedKeeper(memory, { clock, log, lengths, engines });
  }

  /** A host that joins tells what card it has, and an engine its version. */
  prepare({ model, deployment }: Learning): void {
    if (model.learned.observations > 0) return;
    if (this.#keeper !== null) this.#keeper.prepare(this.#kept({ model, deployment }));
    else model.learned.adoptPrior(guessRates(engineFacts(deployment, this.#live)), null);
  }

  of({ model, gaugeLagMs }: LiveReplicaTarget): LearnedOfEngine {
    const { drift } = model.load(this.#clock.monotonicMs());
    return {
      ...model.rates,
      observations: model.learned.observations,
      bytesPerToken: model.bytesPerToken,
      gaugeLagSeconds: gaugeLagMs === null ? null : gaugeLagMs / 1000,
      drift,
    };
  }

  forget({ model, deployment }: Learning): void {
    if (this.#keeper !== null) this.#keeper.forget(this.#kept({ model, deployment }));
    else model.learned.forget(guessRates(engineFacts(deployment, this.#live)));
  }

  close(): void {
    this.#keeper?.close();
  }

  #kept({ deployment, model }: Learning): KeptEngine {
    const live = this.#live;
    return { identity: engineIdentity(deployment, live), facts: engineFacts(deployment, live), model };
  }
}
