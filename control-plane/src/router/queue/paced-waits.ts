import { RANKS, type Rank, STRIDES } from './class-turns.js';

/** Of one role. */
interface Waits {
  /** How many of each class wait only for replicas to have read what they have. */
  readonly waiting: [number, number, number];
  /** Newcomers of a more urgent class that went ahead since one of these had its turn. */
  ahead: number;
}

/**
 * Who waits for nothing but prompts that are read first. A newcomer may not go ahead of them, unless it is more urgent: then as
 * often as its class has turns for each one of theirs, so that they are never passed by for good.
 */
export class PacedWaits {
  readonly #roles = new Map<string, Waits>();

  isBehind(role: string, rank: Rank): boolean {
    const waits = this.#roles.get(role);
    if (waits === undefined) return false;
    for (const other of RANKS) {
      if (waits.waiting[other] === 0) continue;
      return other <= rank || waits.ahead >= STRIDES[other] / STRIDES[rank];
    }
    return false;
  }

  /** A newcomer was served: it may have gone ahead of some. */
  newcomerWent(role: string): void {
    const waits = this.#roles.get(role);
    if (waits !== undefined) waits.ahead += 1;
  }

  joined(role: string, rank: Rank): void {
    let waits = this.#roles.get(role);
    if (waits === undefined) {
      waits = { waiting: [0, 0, 0], ahead: 0 };
      this.#roles.set(role, waits);
    }
    waits.waiting[rank] += 1;
  }

  left(role: string, rank: Rank): void {
    const waits = this.#roles.get(role);
    if (waits === undefined) return;
    waits.waiting[rank] -= 1;
    waits.ahead = 0;
    if (waits.waiting.every((count) => count === 0)) this.#roles.delete(role);
  }
}
