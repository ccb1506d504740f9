import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { SleepAction } from './decide/plan-sleep.js';
import type { FlightEnd, FlightState } from './decide/step-flight.js';
import type { SleepDesk } from './sleep-desk.js';
import type { WakeFleet } from './wake-fleet.js';

/** Sleep, wake and a token, once and on purpose. */
export interface Rehearsal {
  readonly host: string;
  readonly startedAtMs: number;
  /** `lying_down`: it said that it goes, and is given the time to. */
  readonly phase: 'sleeping' | 'lying_down' | 'waking' | 'done';
  /** What it was put to sleep by; `null`: it is not asleep yet. */
  readonly action: SleepAction | null;
  readonly wakeId: string | null;
  /** `null`: under way. */
  readonly outcome: 'proven' | 'failed' | 'refused' | null;
  /** A code of `failed` and `refused`. */
  readonly code: string | null;
  readonly detail: string | null;
}

export interface RehearsalParts {
  readonly sleep: SleepDesk;
  readonly wakes: Pick<WakeFleet, 'wakeHost'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RehearsalAsk {
  readonly host: string;
  /** `null`: as declared. */
  readonly action: SleepAction | null;
  readonly despiteGuards: boolean;
}

/** A machine that has said goodbye takes some seconds to be asleep; a packet that comes before that is lost. */
const LIE_DOWN_MS = 15_000;

/** Rehearsals of hosts, one at a time for each; the last of each is remembered. */
export class Rehearsals {
  readonly #parts: RehearsalParts;
  readonly #last = new Map<string, Rehearsal>();
  /** Of those that lie down now: what each waits for, and how it goes on. */
  readonly #lying = new Map<Timer, () => void>();

  constructor(parts: RehearsalParts) {
    this.#parts = parts;
  }

  /** Those that are under way end; to be called when nobody is woken any more. */
  close(): void {
    for (const [timer, goOn] of this.#lying) {
      timer.cancel();
      goOn();
    }
  }

  /** @returns `null`: this host was never rehearsed since this process began */
  find(host: string): Rehearsal | null {
    return this.#last.get(host) ?? null;
  }

  /** Begins one, or joins the one that is under way. */
  begin(ask: RehearsalAsk): Rehearsal {
    const under = this.#last.get(ask.host);
    if (under?.outcome === null) return under;
    const begun: Rehearsal = {
      ...{ host: ask.host, startedAtMs: this.#parts.clock.nowMs(), phase: 'sleeping' },
      ...{ action: null, wakeId: null, outcome: null, code: null, detail: null },
    };
    this.#last.set(ask.host, begun);
    void this.#run(ask);
    return begun;
  }

  async #run({ host, action, despiteGuards }: RehearsalAsk): Promise<void> {
    const { sleep, wakes, log } = this.#parts;
    const reason = 'an operator rehearses sleep and wake';
    const slept = await sleep.sleep({ host, action, askedBy: 'rehearsal', reason, despiteGuards });
    if (slept.kind !== 'asleep') {
      const outcome = slept.kind === 'refused' ? 'refused' : 'failed';
      this.#end(host, { outcome, code: slept.code, detail: slept.detail });
      return;
    }
    this.#change(host, { phase: 'lying_down', action: slept.action });
    await this.#lieDown();
    const asked = wakes.wakeHost(host, 'rehearsal');
    if (asked.kind === 'refused') {
      this.#end(host, { outcome: 'failed', code: asked.code, detail: asked.detail });
      return;
    }
    const { wakeId } = asked.flight.order;
    this.#change(host, { phase: 'waking', wakeId });
    const end = await asked.flight.settled;
    const { order, state, attendedBy } = asked.flight;
    this.#end(host, verdictOf(end, { isOwn: order.askedBy === 'rehearsal', state, attendedBy }));
    log.info({ host, wakeId, rehearsal: this.#last.get(host) }, 'a rehearsal has ended');
  }

  #lieDown(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(LIE_DOWN_MS, () => {
        this.#lying.delete(timer);
        resolve();
      });
      this.#lying.set(timer, resolve);
    });
  }

  #end(host: string, verdict: Pick<Rehearsal, 'outcome' | 'code' | 'detail'>): void {
    this.#change(host, { phase: 'done', ...verdict });
  }

  #change(host: string, change: Partial<Rehearsal>): void {
    const before = this.#last.get(host);
    if (before !== undefined) this.#last.set(host, { ...before, ...change });
  }
}

function verdictOf(
  end: FlightEnd,
  {
    isOwn,
    state,
    attendedBy,
  }: { readonly isOwn: boolean; readonly state: FlightState; readonly attendedBy: string | null },
): Pick<Rehearsal, 'outcome' | 'code' | 'detail'> {
  if (end.outcome === 'failed') return { outcome: 'failed', code: end.code, detail: end.detail };
  if (end.outcome === 'cancelled') return { outcome: 'failed', code: 'cancelled', detail: end.detail };
  if (!isOwn) {
    const detail = 'a request woke it first, and that proves less: rehearse it when nobody asks';
    return { outcome: 'failed', code: 'woken_otherwise', detail };
  }
  if (attendedBy !== null) {
    const detail = `it came back, but perhaps not by itself: ${attendedBy}; rehearse it with nobody there, or have Windows sign somebody in when it starts`;
    return { outcome: 'failed', code: 'attended', detail };
  }
  if (state.reached.model_ready !== undefined) return { outcome: 'proven', code: null, detail: null };
  const missing = state.wanted.filter((name) => state.readyAt[name] === undefined);
  if (missing.length > 0 && missing.length < state.wanted.length) {
    const detail = `it came back, but not all of it in time: ${missing.join(', ')}`;
    return { outcome: 'failed', code: 'not_all_ready', detail };
  }
  const detail = 'it came back, and no deployment is to run on it that could prove a token';
  return { outcome: 'failed', code: 'no_token', detail };
}
