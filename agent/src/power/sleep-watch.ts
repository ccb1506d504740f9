import { existsSync } from 'node:fs';
import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { readSleepSignal } from './decide/read-sleep-signal.js';
import { startInhibitor } from './inhibitor.js';
import { type PowerChild, startPowerChild } from './power-child.js';

export interface SleepWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What is to be done before; the system waits for it, though not for long. */
  readonly onAboutToSleep: () => Promise<void>;
  /** It slept, or it did not come to it. */
  readonly onAwake: () => void;
  readonly programs?: Partial<SleepWatchPrograms>;
}

export interface SleepWatchPrograms {
  readonly inhibit: string;
  /** In this order: the first that stays is taken. */
  readonly monitors: readonly { readonly file: string; readonly args: readonly string[] }[];
}

const LOGIND = 'org.freedesktop.login1';
const MATCH = `type='signal',interface='${LOGIND}.Manager',member='PrepareForSleep'`;
const PROGRAMS: SleepWatchPrograms = {
  inhibit: 'systemd-inhibit',
  monitors: [
    // Anybody may listen this way; the other, which every systemd has, is for root.
    {
      file: 'gdbus',
      args: ['monitor', '--system', '--dest', LOGIND, '--object-path', '/org/freedesktop/login1'],
    },
    { file: 'busctl', args: ['--system', '--json=short', `--match=${MATCH}`, 'monitor'] },
  ],
};

/** One that ends sooner does not work here. */
const STAYS_MS = 5_000;
/** After one that worked was lost (the bus was restarted). */
const AGAIN_MS = 30_000;

/** There is systemd here, whose logind tells of suspends. */
export function hasLogind(): boolean {
  return existsSync('/run/systemd/system');
}

/**
 * Hears from logind that the machine is about to suspend, and holds it up for the few seconds that a goodbye takes.
 * Where neither program works, suspends come without a goodbye, which is no more than a power cut.
 */
export function watchSleep(options: SleepWatchOptions): { close(): void } {
  const watch = new SleepWatch(options);
  watch.start();
  return { close: () => watch.close() };
}

class SleepWatch {
  readonly #options: SleepWatchOptions;
  readonly #programs: SleepWatchPrograms;
  #delay: PowerChild | null = null;
  #monitor: PowerChild | null = null;
  #again: Timer | null = null;
  #closed = false;

  constructor(options: SleepWatchOptions) {
    this.#options = options;
    this.#programs = { ...PROGRAMS, ...options.programs };
  }

  start(): void {
    this.#listen(0);
    this.#holdUp();
  }

  close(): void {
    this.#closed = true;
    this.#again?.cancel();
    this.#monitor?.end();
    this.#letGo();
  }

  #listen(at: number): void {
    const { clock, log } = this.#options;
    const program = this.#programs.monitors[at];
    if (program === undefined) {
      this.#letGo();
      log.info('power: a suspend will come without a goodbye: nobody tells of it (gdbus, busctl)');
      return;
    }
    const startedMs = clock.monotonicMs();
    this.#monitor = startPowerChild({
      ...program,
      onLine: (line) => this.#hear(line),
      onEnd: (detail) => {
        this.#monitor = null;
        if (this.#closed) return;
        log.debug({ file: program.file, detail }, 'power: who tells of suspends ended');
        if (clock.monotonicMs() - startedMs < STAYS_MS) return this.#listen(at + 1);
        this.#again = clock.after(AGAIN_MS, () => this.#listen(0));
      },
    });
  }

  #hear(line: string): void {
    const signal = readSleepSignal(line);
    if (signal === null || this.#closed) return;
    if (signal === 'awake') {
      this.#holdUp();
      this.#options.onAwake();
      return;
    }
    void this.#options.onAboutToSleep().finally(() => this.#letGo());
  }

  #holdUp(): void {
    if (this.#delay !== null || this.#closed) return;
    const { child } = startInhibitor({
      ...{
        what: 'sleep',
        mode: 'delay',
        why: 'To say goodbye and free the cards',
        file: this.#programs.inhibit,
      },
      onEnd: (detail) => {
        if (this.#delay !== child) return;
        this.#delay = null;
        this.#options.log.debug({ detail }, 'power: a suspend is not held up');
      },
    });
    this.#delay = child;
  }

  #letGo(): void {
    const delay = this.#delay;
    this.#delay = null;
    delay?.end();
  }
}
