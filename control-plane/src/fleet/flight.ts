import type { Clock, Timer } from '@ai-fabric/shared';
import type { WakeFlight, WakePhase } from '../live/host-power.js';
import { type ExpectedReady, untilReadyMs } from '../live/until-ready.js';
import type { WakeAsker, WakeRecord } from '../registry/power-types.js';
import { describeFlight } from './decide/describe-flight.js';
import { expectReady } from './decide/expect-ready.js';
import type { WakeFrom } from './decide/judge-power-state.js';
import {
  type FlightEnd,
  type FlightEvent,
  type FlightRules,
  type FlightState,
  newFlight,
  nextTickMs,
  stepFlight,
  WAKE_PHASES,
} from './decide/step-flight.js';
import type { ReadyTimes, UsualTimes } from './decide/usual-times.js';
import type { WakeStanding } from './power-board.js';

export interface FlightParts {
  readonly clock: Clock;
  readonly effects: FlightEffects;
  /** While it is not known to answer, it is asked this often. */
  readonly probeEveryMs: number;
}

/** What a flight has done for it. */
export interface FlightEffects {
  sendVolley(flight: Flight): void;
  probe(flight: Flight): void;
  holdAwake(flight: Flight): void;
  /** A phase was reached, somebody joined or left. */
  changed(flight: Flight): void;
  ended(flight: Flight, end: FlightEnd): void;
}

export interface FlightOrder {
  readonly wakeId: string;
  readonly host: string;
  readonly hostId: string;
  readonly askedBy: WakeAsker;
  readonly keyId: string | null;
  readonly role: string | null;
  readonly deployments: readonly string[];
  readonly fromState: WakeFrom;
  /** As it was judged at the start. */
  readonly standing: WakeStanding;
  readonly rules: FlightRules;
}

/** One wake of one host: carries out what the reducer says, and keeps its times. */
export class Flight {
  readonly order: FlightOrder;
  readonly askedAtMs: number;
  readonly #parts: FlightParts;
  readonly #startedMs: number;
  readonly #probing: Timer;
  #state: FlightState;
  #timer: Timer | null = null;
  #waiters = 0;
  /** Most that waited at once. */
  #held = 0;
  #endedAtMs: number | null = null;
  /** In words, who may have helped it come back; `null`: nobody. Known when it has ended. */
  attendedBy: string | null = null;
  #phaseSinceMs: number;
  #resolve: (end: FlightEnd) => void = () => undefined;
  /** Resolves when it has ended. */
  readonly settled: Promise<FlightEnd>;

  constructor(order: FlightOrder, parts: FlightParts) {
    const { clock } = parts;
    this.order = order;
    this.#parts = parts;
    this.askedAtMs = clock.nowMs();
    this.#phaseSinceMs = this.askedAtMs;
    this.#startedMs = clock.monotonicMs();
    this.#state = newFlight(order.deployments, Number.POSITIVE_INFINITY);
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#probing = clock.every(parts.probeEveryMs, () => {
      const { name, reached, callsFromMs } = this.#state;
      // On its way to sleep it still answers, which says nothing of its wake.
      if (name === 'calling' && reached.answers === undefined && callsFromMs <= this.elapsedMs) {
        parts.effects.probe(this);
      }
    });
  }

  get state(): FlightState {
    return this.#state;
  }

  get waiters(): number {
    return this.#waiters;
  }

  get elapsedMs(): number {
    return this.#parts.clock.monotonicMs() - this.#startedMs;
  }

  /** The first volley leaves at once. */
  begin(): void {
    this.step({ type: 'call' });
  }

  /** What comes after its end is of no interest to it. */
  step(event: FlightEvent): void {
    const { order, elapsedMs } = this;
    const decided = stepFlight(this.#state, event, elapsedMs, order.rules);
    if (!decided.ok) return;
    this.#state = decided.state;
    if (decided.state.name === 'ended') this.#stop();
    else this.#schedule();
    let isNews = event.type === 'want';
    for (const effect of decided.effects) {
      switch (effect.type) {
        case 'send_volley':
          this.#parts.effects.sendVolley(this);
          break;
        case 'reached':
          this.#phaseSinceMs = this.#parts.clock.nowMs();
          isNews = true;
          break;
        case 'hold_awake':
          this.#parts.effects.holdAwake(this);
          break;
        case 'ended':
          this.#end(effect.end);
          return;
        default:
          effect satisfies never;
      }
    }
    if (isNews) this.#parts.effects.changed(this);
  }

  join(): void {
    this.#waiters += 1;
    this.#held = Math.max(this.#held, this.#waiters);
    if (this.#state.name !== 'ended') this.#parts.effects.changed(this);
  }

  leave(): void {
    this.#waiters -= 1;
    if (this.#state.name !== 'ended') this.#parts.effects.changed(this);
  }

  /** The last phase that was reached. */
  get phase(): WakePhase | null {
    return WAKE_PHASES.findLast((phase) => this.#state.reached[phase] !== undefined) ?? null;
  }

  /** @param ready of the host's deployments, from the wish */
  view(usual: UsualTimes, ready: ReadonlyMap<string, ReadyTimes>): WakeFlight {
    const { elapsedMs, askedAtMs } = this;
    const [wanted = ''] = this.#state.wanted;
    const expected: Record<string, ExpectedReady> = {};
    for (const [deployment, times] of ready) {
      if (this.#state.readyAt[deployment] !== undefined) continue;
      const { usuallyMs, latestMs } = expectReady(this.#state, usual, times, elapsedMs);
      expected[deployment] = {
        usuallyAtMs: Math.round(askedAtMs + usuallyMs),
        latestAtMs: Math.round(askedAtMs + latestMs),
      };
    }
    return {
      wakeId: this.order.wakeId,
      askedAtMs,
      phase: this.phase,
      phaseSinceMs: this.#phaseSinceMs,
      waiters: this.#waiters,
      text: describeFlight(this.#state, usual, ready.get(wanted) ?? null, elapsedMs),
      expected,
    };
  }

  /** Until this deployment is ready, see `untilReadyMs`. @param ready from the wish */
  leftMs(deployment: string, usual: UsualTimes, ready: ReadyTimes): number {
    if (this.#state.readyAt[deployment] !== undefined) return 0;
    const { usuallyMs, latestMs } = expectReady(this.#state, usual, ready, this.elapsedMs);
    return untilReadyMs({ usuallyAtMs: usuallyMs, latestAtMs: latestMs }, this.elapsedMs);
  }

  record(detail: string | null): WakeRecord {
    const { order, askedAtMs } = this;
    const { end, reached, readyAt, fetched } = this.#state;
    const ready = Object.entries(readyAt).map(([name, atMs]) => [
      `${fetched.includes(name) ? 'fetched' : 'model_ready'}:${name}`,
      Math.round(atMs),
    ]);
    const phases = Object.entries(reached).map(([phase, atMs]) => [phase, Math.round(atMs)]);
    return {
      ...{ wakeId: order.wakeId, askedAtMs, askedBy: order.askedBy, keyId: order.keyId, role: order.role },
      deployment: this.#state.wanted[0] ?? null,
      fromState: order.fromState,
      outcome: end?.outcome ?? null,
      failedPhase: end?.outcome === 'failed' ? end.phase : null,
      detail,
      phases: Object.fromEntries([...phases, ...ready]) as Record<string, number>,
      endedAtMs: this.#endedAtMs,
      waiters: this.#held,
    };
  }

  #schedule(): void {
    this.#timer?.cancel();
    const dueMs = nextTickMs(this.#state, this.order.rules);
    if (dueMs === null) return;
    const inMs = Math.max(0, dueMs - this.elapsedMs);
    this.#timer = this.#parts.clock.after(inMs, () => this.step({ type: 'tick' }));
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#probing.cancel();
  }

  #end(end: FlightEnd): void {
    this.#endedAtMs = this.#parts.clock.nowMs();
    this.#parts.effects.ended(this, end);
    this.#resolve(end);
  }
}
