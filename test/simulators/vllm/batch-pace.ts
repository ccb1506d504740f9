import type { Clock, Timer } from '@ai-fabric/shared';
import { BatchEngine, type EngineObserver, type EngineWork } from '../batch-engine/batch-engine.js';
import type { EngineShape } from '../batch-engine/engine-shape.js';

/** A job whose tokens come as a batch brings them. */
export interface PacedWork extends EngineWork {
  /** That have come so far. */
  tokens: number;
  onToken(): void;
}

/** A batch engine that runs by the clock, one iteration at a time. */
export class BatchPace {
  readonly #clock: Clock;
  readonly #engine: BatchEngine<PacedWork>;
  #timer: Timer | null = null;

  constructor(shape: EngineShape, clock: Clock) {
    this.#engine = new BatchEngine(shape, false);
    this.#clock = clock;
  }

  begin(work: PacedWork): void {
    this.#catchUp();
    this.#engine.push(work, this.#clock.monotonicMs());
    this.#arm();
  }

  /** It has all that it wants. */
  leave(work: PacedWork): void {
    this.#engine.drop(work);
  }

  readonly #observer: EngineObserver<PacedWork> = {
    firstToken: (work) => count(work, 1),
    furtherTokens: (work, tokens) => count(work, tokens),
    whole: () => undefined,
  };

  /** Timers come late: iterations end when they should have, and the next begin there. */
  #catchUp(): void {
    while (this.#engine.endsAtMs <= this.#clock.monotonicMs()) this.#engine.end(this.#observer);
  }

  #arm(): void {
    const { endsAtMs } = this.#engine;
    if (this.#timer !== null || endsAtMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.after(Math.max(0, endsAtMs - this.#clock.monotonicMs()), () => {
      this.#timer = null;
      this.#catchUp();
      this.#arm();
    });
  }
}

function count(work: PacedWork, tokens: number): void {
  work.tokens += tokens;
  work.onToken();
}
