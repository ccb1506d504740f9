import { POWER_PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { FleetLive } from './fleet-parts.js';
import type { Flight } from './flight.js';
import type { PowerBoard } from './power-board.js';
import type { ReachabilityProbe } from './reachability-probe.js';
import { sendVolley, type VolleyParts } from './send-volley.js';
import type { WakerCall } from './wakers/run-waker.js';

export interface FlightCallParts {
  readonly live: FleetLive;
  readonly board: PowerBoard;
  readonly volley: VolleyParts;
  readonly probe: ReachabilityProbe;
  /** @returns `null`: it did its work; else why not, in words; it does not reject */
  readonly runWaker: (name: string, call: WakerCall) => Promise<string | null>;
  readonly protocolVersion: (host: string) => number | null;
  readonly log: Logger;
}

/** Its system may not put it to sleep for so long after its agent is back: leases prolong it. */
const HOLD_SECONDS = 600;
const HOLD_TTL_MS = 30_000;

/** What a flight does to the world outside; what comes of it goes back to the flight. */
export class FlightCalls {
  readonly #parts: FlightCallParts;
  /** Hosts whose waker runs now. */
  readonly #wakersUnderWay = new Set<string>();

  constructor(parts: FlightCallParts) {
    this.#parts = parts;
  }

  /** By every path that is there now, or by the host's waker. */
  sendVolley(flight: Flight): void {
    const { live, board, volley, log } = this.#parts;
    const { host: name, wakeId, standing: atFirst } = flight.order;
    const host = live.host(name);
    const { waker, macs, addresses, paths } = host ? board.freshStandingOf(host) : atFirst;
    if (waker.kind === 'usable') {
      void this.#runWaker(flight, waker.name);
      return;
    }
    const isOut = () => flight.step({ type: 'volley_sent', isOut: true, notes: [] });
    void sendVolley(volley, { wakeId, macs, addresses, paths }, isOut).then(({ isOut: out, notes }) => {
      if (notes.length > 0) log.debug({ host: name, wakeId, notes }, 'some packets were not sent');
      flight.step({ type: 'volley_sent', isOut: out, notes });
    });
  }

  /** Whether the machine answers at its last addresses. One that shares an address with us would always seem to. */
  async probe(flight: Flight): Promise<void> {
    const { addresses, paths } = flight.order.standing;
    const own = new Set(paths.own.map(({ address }) => address.split('/')[0]));
    const others = addresses.filter((each) => !own.has(each) && !each.startsWith('127.'));
    if (others.length > 0 && (await this.#parts.probe(others))) flight.step({ type: 'answered' });
  }

  holdAwake({ order: { host } }: Flight): void {
    const { protocolVersion, volley } = this.#parts;
    if ((protocolVersion(host) ?? 0) < POWER_PROTOCOL_VERSION) return;
    void volley.ask(host, { name: 'hold_awake', seconds: HOLD_SECONDS }, HOLD_TTL_MS);
  }

  /** Once until it says that it did its work: a plug that is switched again may switch off. */
  async #runWaker(flight: Flight, name: string): Promise<void> {
    const { host, wakeId } = flight.order;
    if (flight.state.reached.packet_sent !== undefined || this.#wakersUnderWay.has(host)) return;
    this.#wakersUnderWay.add(host);
    const wrong = await this.#parts.runWaker(name, { host, wakeId });
    this.#wakersUnderWay.delete(host);
    const notes = wrong === null ? [] : [`waker ${name}: ${wrong}`];
    flight.step({ type: 'volley_sent', isOut: wrong === null, notes });
  }
}
