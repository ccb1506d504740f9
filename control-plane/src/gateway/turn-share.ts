import type { Clock } from '@ai-fabric/shared';

/** What can be done now or some turns of the event loop later. */
export interface Deferrable {
  proceed(): void;
}

/**
 * Bounds how long requests hold up a turn of the event loop. Under load one turn finds dozens of connections with a
 * request, and timers and the chunks of streams would wait until all are worked off. So what comes beyond a turn's share
 * waits, in its order, for the next turn. While there is little to do nothing waits.
 */
export class TurnShare {
  readonly #clock: Clock;
  readonly #shareMs: number;
  readonly #atTurnEnd: (run: () => void) => void;
  /** Worked off from its front; those that have come since wait behind it. */
  #first: Deferrable[] = [];
  #firstDone = 0;
  #behind: Deferrable[] = [];
  #isTurnOpen = false;
  #beganAtMs = 0;

  /**
   * @param shareMs of a turn, beyond which what comes waits for the next one
   * @param atTurnEnd calls once: behind what this turn still brings, ahead of the next one's timers
   */
  constructor(clock: Clock, shareMs: number, atTurnEnd: (run: () => void) => void = setImmediate) {
    this.#clock = clock;
    this.#shareMs = shareMs;
    this.#atTurnEnd = atTurnEnd;
  }

  get waiting(): number {
    return this.#first.length - this.#firstDone + this.#behind.length;
  }

  /** Does it at once where the turn has room, else in a later turn. It must not throw. */
  take(work: Deferrable): void {
    if (!this.#isTurnOpen) this.#openTurn();
    if (this.waiting === 0 && this.#hasRoom()) work.proceed();
    else this.#behind.push(work);
  }

  #openTurn(): void {
    this.#isTurnOpen = true;
    this.#beganAtMs = this.#clock.monotonicMs();
    this.#atTurnEnd(this.#endTurn);
  }

  #hasRoom(): boolean {
    return this.#clock.monotonicMs() - this.#beganAtMs < this.#shareMs;
  }

  readonly #endTurn = (): void => {
    this.#isTurnOpen = false;
    if (this.waiting === 0) return;
    this.#openTurn();
    // One at least, so that it ends.
    do this.#shift().proceed();
    while (this.waiting > 0 && this.#hasRoom());
  };

  #shift(): Deferrable {
    if (this.#firstDone === this.#first.length) {
      this.#first = this.#behind;
      this.#firstDone = 0;
      this.#behind = [];
    }
    return this.#first[this.#firstDone++] as Deferrable;
  }
}
