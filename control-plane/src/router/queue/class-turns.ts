import { REQUEST_CLASSES, type RequestClass } from '../../declared/request-class.js';

/** A class's place in the order of urgency: 0 is the most urgent. */
export type Rank = 0 | 1 | 2;

export const RANKS: readonly Rank[] = [0, 1, 2];

export function rankOf(requestClass: RequestClass): Rank {
  return REQUEST_CLASSES.indexOf(requestClass) as Rank;
}

/**
 * What one turn of a class costs: of thirteen turns, where all wait, `interactive` has eight, `normal` four and `batch` one.
 */
export const STRIDES: readonly [number, number, number] = [1, 2, 8];

/**
 * The turns of classes at one target, by stride scheduling (Waldspurger and Weihl, 1995): each class stands at a point, the one that
 * stands nearest goes next and moves on by its stride. A class that nobody waited in has saved nothing up.
 */
export class ClassTurns {
  readonly #points: [number, number, number] = [0, 0, 0];
  #reached = 0;

  /** Where the class stands: of those that wait, the least goes next; of equals the more urgent. */
  pointOf(rank: Rank): number {
    return this.#points[rank];
  }

  /** Somebody of this class has come to wait, and nobody did before. */
  began(rank: Rank): void {
    this.#points[rank] = Math.max(this.#points[rank], this.#reached + STRIDES[rank]);
  }

  /** One of this class has had its turn. */
  spent(rank: Rank): void {
    this.#reached = this.#points[rank];
    this.#points[rank] += STRIDES[rank];
  }
}
