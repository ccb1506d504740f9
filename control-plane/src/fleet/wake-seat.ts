import type { Flight } from './flight.js';
import type { WakeAsk, WakeTicket } from './wake-desk.js';

/** A wake that serves somebody; `isInTime`: as usual, it is ready within what was asked for. */
export interface FoundFlight {
  readonly flight: Flight;
  readonly isInTime: boolean;
}

/** Who waits for a wake, through all the hosts that are tried for it. */
export class WakeSeat implements WakeTicket {
  readonly ask: WakeAsk;
  readonly isInTime: boolean;
  hasLeft = false;
  #flight: Flight;
  readonly #tried = new Set<string>();
  readonly #onLeave: (seat: WakeSeat) => void;

  constructor(ask: WakeAsk, { flight, isInTime }: FoundFlight, onLeave: (seat: WakeSeat) => void) {
    this.ask = ask;
    this.isInTime = isInTime;
    this.#flight = flight;
    this.#onLeave = onLeave;
  }

  get flight(): Flight {
    return this.#flight;
  }

  hasTried(host: string): boolean {
    return host === this.host || this.#tried.has(host);
  }

  moveTo(flight: Flight): void {
    this.#tried.add(this.host);
    this.#flight = flight;
  }

  get host(): string {
    return this.flight.order.host;
  }

  get wakeId(): string {
    return this.flight.order.wakeId;
  }

  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    if (this.ask.isHeld) this.flight.leave();
    this.#onLeave(this);
  }
}
