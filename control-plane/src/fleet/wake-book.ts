import type { ListedWake } from '../registry/power-types.js';
import type { FlightEnd } from './decide/step-flight.js';

const MOST_ENDED = 200;

/** Wakes that have ended lately, and how many ever did since start. */
export class WakeBook {
  /** The latest last. */
  readonly #ended = new Map<string, ListedWake>();
  readonly #counts = new Map<string, number>();

  add(wake: ListedWake, end: FlightEnd): void {
    this.#ended.set(wake.wakeId, wake);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MOST_ENDED && oldest !== undefined) this.#ended.delete(oldest);
    const key = `${end.outcome} ${end.outcome === 'failed' ? end.phase : ''}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  find(wakeId: string): ListedWake | null {
    return this.#ended.get(wakeId) ?? null;
  }

  /** `phase`: the one that failed. */
  counts(): readonly { readonly outcome: string; readonly phase: string; readonly count: number }[] {
    return [...this.#counts].map(([key, count]) => {
      const [outcome = '', phase = ''] = key.split(' ');
      return { outcome, phase, count };
    });
  }
}
