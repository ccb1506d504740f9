import type { TelemetrySample } from '@ai-fabric/shared';
import type { CounterRates } from './counter-rates.js';
import { OpenStretch, type RollUp } from './open-stretch.js';

const MINUTE_MS = 60_000;

/**
 * Rolls one host's samples up into minutes, whatever their order. Two minutes are open at most: the one that the host
 * lives in and one of the past that a backfill is filling. A minute that closes before all of it is there is no harm:
 * the rest comes as a second part, and parts of a minute are merged where they are kept.
 */
export class HostRollUp {
  #live: OpenStretch | null = null;
  #late: OpenStretch | null = null;
  readonly #liveRates = new Map<string, CounterRates>();
  readonly #lateRates = new Map<string, CounterRates>();

  /** @returns the minute that this sample closed */
  take(sample: TelemetrySample, backfilled: boolean): RollUp | null {
    const startMs = Math.floor(sample.atMs / MINUTE_MS) * MINUTE_MS;
    const rates = backfilled ? this.#lateRates : this.#liveRates;
    if (this.#live?.startMs === startMs) {
      this.#live.add(sample, backfilled, rates);
      return null;
    }
    if (!backfilled && (this.#live === null || startMs > this.#live.startMs)) {
      const closed = this.#live;
      this.#live = new OpenStretch(startMs);
      this.#live.add(sample, backfilled, rates);
      forgetGone(this.#liveRates, sample);
      return closed;
    }
    const closed = this.#late?.startMs === startMs ? null : this.#late;
    if (this.#late?.startMs !== startMs) this.#late = new OpenStretch(startMs);
    this.#late.add(sample, backfilled, rates);
    return closed;
  }

  /** What is open, to be read only. */
  open(): RollUp[] {
    return [this.#live, this.#late].filter((minute) => minute !== null);
  }

  /**
   * Closes what nothing is likely to be added to: a minute that ended before `nowMs - graceMs`, and what came late.
   * With a grace of −Infinity, everything.
   */
  close(nowMs: number, graceMs: number): RollUp[] {
    const closed: RollUp[] = [];
    if (this.#late) {
      closed.push(this.#late);
      this.#late = null;
      this.#lateRates.clear();
    }
    if (this.#live && this.#live.startMs + MINUTE_MS + graceMs <= nowMs) {
      closed.push(this.#live);
      this.#live = null;
    }
    return closed;
  }
}

/** A deployment that is no more must not be kept for ever. */
function forgetGone(rates: Map<string, CounterRates>, sample: TelemetrySample): void {
  for (const deployment of rates.keys()) {
    if (!Object.hasOwn(sample.replicas, deployment)) rates.delete(deployment);
  }
}
