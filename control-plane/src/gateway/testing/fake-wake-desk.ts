import type { WakeAsk, WakeDesk, WakeRefusal, WakeTicket } from '../../fleet/wake-desk.js';
import type { HostPower, WakeFlight } from '../../live/host-power.js';

/** Where the fleet tells what it knows. */
export interface PowerTeller {
  power(host: string): HostPower;
  setPower(host: string, power: HostPower): void;
}

/**
 * A fleet that a test plays by hand: it wakes the first host that may be woken, one flight for all who ask; another only where
 * the first was said to be too late.
 */
export class FakeWakeDesk implements WakeDesk {
  readonly asked: WakeAsk[] = [];
  /** Hosts that are not woken, and why. */
  readonly refuses = new Map<string, string>();
  readonly #teller: PowerTeller;
  readonly #hostOf: (deployment: string) => string;
  readonly #nowMs: () => number;
  readonly #waiters = new Map<string, number>();
  #wakes = 0;

  constructor(teller: PowerTeller, hostOf: (deployment: string) => string, nowMs: () => number) {
    this.#teller = teller;
    this.#hostOf = hostOf;
    this.#nowMs = nowMs;
  }

  /** Wakes that were begun. */
  get wakes(): number {
    return this.#wakes;
  }

  waitersOf(host: string): number {
    return this.#waiters.get(host) ?? 0;
  }

  wake(ask: WakeAsk): WakeTicket | { readonly refused: WakeRefusal; readonly detail: string } {
    this.asked.push(ask);
    const hosts = ask.deployments.map((deployment) => this.#hostOf(deployment));
    const underWay = hosts.filter((each) => this.#teller.power(each).flight !== null);
    const inTime =
      underWay.find((each) => this.#leftMs(each) <= ask.withinMs) ??
      hosts.find((each) => !underWay.includes(each) && !this.refuses.has(each));
    const host = inTime ?? underWay[0];
    if (host === undefined) {
      const why = hosts.map((each) => `${each}: ${this.refuses.get(each)}`);
      return { refused: 'not_wakeable', detail: why.join('; ') };
    }
    const flight = this.#teller.power(host).flight ?? this.#begin(host);
    if (ask.isHeld) this.#waiters.set(host, this.waitersOf(host) + 1);
    let isIn = ask.isHeld;
    return {
      host,
      wakeId: flight.wakeId,
      isInTime: inTime !== undefined,
      leave: () => {
        if (isIn) this.#waiters.set(host, this.waitersOf(host) - 1);
        isIn = false;
      },
    };
  }

  /** The wake has come further. */
  reach(host: string, phase: WakeFlight['phase'], text: string): void {
    const power = this.#teller.power(host);
    if (power.flight === null) throw new Error(`${host} is not being woken`);
    this.#teller.setPower(host, { ...power, flight: { ...power.flight, phase, text } });
  }

  /** The wake is seen to take so much longer: there is more to do than was known. */
  expect(host: string, seconds: number): void {
    const power = this.#teller.power(host);
    if (power.flight === null) throw new Error(`${host} is not being woken`);
    const atMs = this.#nowMs() + seconds * 1_000;
    const each = <Value>(value: Value) =>
      Object.fromEntries(Object.keys(power.readySeconds).map((name) => [name, value]));
    this.#teller.setPower(host, {
      ...power,
      readySeconds: each((atMs - power.flight.askedAtMs) / 1_000),
      flight: { ...power.flight, expected: each({ usuallyAtMs: atMs, latestAtMs: atMs }) },
    });
  }

  /** The wake is over; a host that did not come back is not woken again for now. */
  end(host: string, failure: string | null): void {
    const state = failure === null ? 'online' : 'asleep';
    if (failure !== null) this.refuses.set(host, failure);
    this.#teller.setPower(host, { ...this.#teller.power(host), state, flight: null });
  }

  #leftMs(host: string): number {
    const [expected] = Object.values(this.#teller.power(host).flight?.expected ?? {});
    return expected === undefined ? 0 : expected.usuallyAtMs - this.#nowMs();
  }

  #begin(host: string): WakeFlight {
    this.#wakes += 1;
    const askedAtMs = this.#nowMs();
    const flight: WakeFlight = {
      ...{ wakeId: `wake-${this.#wakes}`, askedAtMs, phaseSinceMs: askedAtMs, waiters: 0 },
      ...{ phase: 'packet_sent', text: `packet sent to ${host}`, expected: {} },
    };
    this.#teller.setPower(host, { ...this.#teller.power(host), state: 'waking', flight });
    return flight;
  }
}
