import type { ProcessReadings } from '../machine/process-readings.js';

/** What the turns of one contender in a round add up to. */
export class LoadTally {
  /** Answers, or chunks. */
  #units = 0;
  #loadMs = 0;
  #cpuSeconds = 0;
  #measuredMs = 0;

  /** @param loadMs how long the load lasted by its own clock */
  add(units: number, loadMs: number, before: ProcessReadings, after: ProcessReadings): void {
    this.#units += units;
    this.#loadMs += loadMs;
    this.#cpuSeconds += after.cpuSeconds - before.cpuSeconds;
    this.#measuredMs += after.atMs - before.atMs;
  }

  get perSecond(): number {
    return this.#units / (this.#loadMs / 1_000);
  }

  get cpuUs(): number {
    return (this.#cpuSeconds / this.#units) * 1e6;
  }

  /** Of its core. */
  get percent(): number {
    return (this.#cpuSeconds / this.#measuredMs) * 100_000;
  }
}
