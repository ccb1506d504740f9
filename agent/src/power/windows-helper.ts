import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { type HelperVerb, type HelperWord, readHelperLine } from './decide/read-helper-line.js';
import { type PowerChild, startPowerChild } from './power-child.js';
import { raceWithin } from './race-within.js';

export interface WindowsHelperOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

export type HelperAnswer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'late' }
  | { readonly kind: 'failed'; readonly code: number; readonly detail: string };

interface Running {
  readonly child: PowerChild;
  readonly ready: Promise<boolean>;
  readonly waiting: Map<HelperVerb, (answer: HelperAnswer) => void>;
}

/** Starting a PowerShell and compiling a class takes seconds on a machine that has just woken up. */
const READY_MS = 30_000;

/** The one child that calls Windows' power functions. It is started when it is first asked, and again when it is gone. */
export class WindowsHelper {
  readonly #options: WindowsHelperOptions;
  #running: Running | null = null;

  constructor(options: WindowsHelperOptions) {
    this.#options = options;
  }

  /** @returns `late` when it said nothing within `waitMs` after it was ready */
  async ask(verb: HelperVerb, waitMs: number): Promise<HelperAnswer> {
    const { clock } = this.#options;
    this.#running ??= this.#start();
    const running = this.#running;
    const isReady = await raceWithin(running.ready, { deadlineMs: READY_MS, late: false, clock });
    if (!isReady) {
      if (this.#running === running) this.end();
      return { kind: 'failed', code: 0, detail: 'its helper (Windows PowerShell) did not start.' };
    }
    const answered = new Promise<HelperAnswer>((resolve) => {
      running.waiting.get(verb)?.({ kind: 'late' });
      running.waiting.set(verb, resolve);
    });
    running.child.tell(verb);
    return raceWithin<HelperAnswer>(answered, { deadlineMs: waitMs, late: { kind: 'late' }, clock });
  }

  end(): void {
    const running = this.#running;
    this.#running = null;
    running?.child.end();
  }

  #start(): Running {
    const { file, args, log } = this.#options;
    const waiting: Running['waiting'] = new Map();
    let tellReady: (isReady: boolean) => void = () => undefined;
    const ready = new Promise<boolean>((resolve) => {
      tellReady = resolve;
    });
    const child = startPowerChild({
      ...{ file, args },
      onLine: (line) => {
        const word = readHelperLine(line);
        if (word?.kind === 'ready') tellReady(true);
        else if (word !== null) this.#answer(waiting, word);
      },
      onEnd: (detail) => {
        const wasOurs = this.#running === running;
        if (wasOurs) this.#running = null;
        if (wasOurs) log.warn({ detail }, 'power: the helper ended');
        tellReady(false);
        for (const tell of waiting.values())
          tell({ kind: 'failed', code: 0, detail: `its helper ended: ${detail}.` });
        waiting.clear();
      },
    });
    const running: Running = { child, ready, waiting };
    return running;
  }

  #answer(waiting: Running['waiting'], word: Exclude<HelperWord, { kind: 'ready' }>): void {
    const tell = waiting.get(word.verb);
    waiting.delete(word.verb);
    tell?.(
      word.kind === 'ok'
        ? { kind: 'ok' }
        : { kind: 'failed', code: word.code, detail: `error ${word.code} of Windows.` },
    );
  }
}
