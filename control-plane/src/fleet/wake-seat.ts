import type { Flight } from './flight.js';
import type { WakeAsk, WakeTicket } from './wake-desk.js';

/** Who waits for a wake, through all the hosts that are tried for it. */
export class WakeSeat implements WakeTicket {
  readonly ask: WakeAsk;
  flight: Flight;
  hasLeft = false;
  readonly #onLeave: (seat: WakeSeat) => void;

  constructor(ask: WakeAsk, flight: Flight, onLeave: (seat: WakeSeat) => void) {
    this.ask = ask;
    this.flight = flight;
    this.#onLeave = onLeave;
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
