import type { Clock, GoodbyeReason } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AddressBook } from './address-book.js';

/** The link's log lines, at most one in ten seconds for each address or host, with the count of those left out. */
export class LinkLog {
  readonly #log: Logger;
  readonly #addresses: AddressBook;
  readonly #clock: Clock;

  constructor(log: Logger, addresses: AddressBook, clock: Clock) {
    this.#log = log;
    this.#addresses = addresses;
    this.#clock = clock;
  }

  joined(host: string, peer: string): void {
    this.#log.info({ host, peer }, 'a host joined');
  }

  linked(host: string, peer: string): void {
    const suppressed = this.#mayLog(`host ${host}`);
    if (suppressed !== null) this.#log.info({ host, peer, suppressed }, 'a host linked');
  }

  refused(peer: string, reason: GoodbyeReason, detail: string): void {
    const suppressed = this.#mayLog(peer);
    if (suppressed !== null) this.#log.warn({ peer, reason, detail, suppressed }, 'a link was refused');
  }

  ended(host: string, peer: string, reason: GoodbyeReason, detail: string): void {
    const suppressed = this.#mayLog(`end of ${host}`);
    if (suppressed !== null) this.#log.warn({ host, peer, reason, detail, suppressed }, 'a link was ended');
  }

  left(host: string, reason: GoodbyeReason): void {
    const suppressed = this.#mayLog(`end of ${host}`);
    if (suppressed !== null) this.#log.info({ host, reason, suppressed }, 'a host said goodbye');
  }

  disbelieved(host: string, misplaced: number, disbelieved: number): void {
    if (misplaced + disbelieved === 0) return;
    const suppressed = this.#mayLog(`reports of ${host}`);
    if (suppressed === null) return;
    this.#log.warn({ host, misplaced, disbelieved, suppressed }, 'parts of a report were not believed');
  }

  tooManyDesired(host: string, leftOut: number): void {
    this.#log.error({ host, leftOut }, 'more deployments on a host than the link carries');
  }

  stalled(stalledMs: number): void {
    const suppressed = this.#mayLog('stalls');
    if (suppressed === null) return;
    this.#log.warn({ stalledMs: Math.round(stalledMs), suppressed }, 'the control plane stood still');
  }

  unexpected(linkId: number, state: string, event: string): void {
    this.#log.debug({ linkId, state, event }, 'an event does not fit the link');
  }

  #mayLog(about: string): number | null {
    return this.#addresses.mayLog(about, this.#clock.monotonicMs());
  }
}
