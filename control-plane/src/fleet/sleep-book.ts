import type { SleepAction, SleepAsker } from './decide/plan-sleep.js';
import type { SleepEnd } from './sleep-desk.js';

/** What came of an attempt. */
export interface LastSleep {
  readonly atMs: number;
  readonly action: SleepAction;
  readonly asker: SleepAsker;
  readonly end: SleepEnd;
}

export interface SleepCount {
  readonly action: SleepAction;
  readonly outcome: 'asleep' | 'failed';
  /** Since start. */
  readonly count: number;
  /** From the word to their end, all of them together. */
  readonly seconds: number;
}

/** What came of the last attempt on each host, and of how many since start. */
export class SleepBook {
  readonly #last = new Map<string, LastSleep>();
  readonly #counts = new Map<string, SleepCount>();

  add(host: string, sleep: LastSleep, tookMs: number): void {
    this.#last.set(host, sleep);
    const { action } = sleep;
    const outcome = sleep.end.kind === 'asleep' ? 'asleep' : 'failed';
    const key = `${action} ${outcome}`;
    const before = this.#counts.get(key) ?? { action, outcome, count: 0, seconds: 0 };
    this.#counts.set(key, {
      ...before,
      count: before.count + 1,
      seconds: before.seconds + tookMs / 1000,
    });
  }

  last(host: string): LastSleep | null {
    return this.#last.get(host) ?? null;
  }

  forget(host: string): void {
    this.#last.delete(host);
  }

  counts(): readonly SleepCount[] {
    return [...this.#counts.values()];
  }
}
