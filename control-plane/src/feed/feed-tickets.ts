import { createHash } from 'node:crypto';
import type { Clock } from '@ai-fabric/shared';

export const TICKET_LIFE_MS = 30_000;
const MAX_TICKETS = 1_000;

interface Ticket {
  /** Monotonic. */
  readonly endsMs: number;
  /** Of the page that asked for it; `null`: no page did. */
  readonly origin: string | null;
}

/**
 * What a browser brings in the place of a token, which it could only put into the URL: good for one subscription
 * within 30 s. Held in memory: a restart ends all.
 */
export class FeedTickets {
  readonly #clock: Clock;
  readonly #randomBytes: (size: number) => Buffer;
  readonly #tickets = new Map<string, Ticket>();

  /** @param randomBytes cryptographically random */
  constructor(clock: Clock, randomBytes: (size: number) => Buffer) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** @param origin the `Origin` of the request that asks for it. @returns the ticket, shown once */
  create(origin: string | null): string {
    const nowMs = this.#clock.monotonicMs();
    // All live equally long, so the first are the oldest.
    for (const [key, { endsMs }] of this.#tickets) {
      if (endsMs > nowMs && this.#tickets.size < MAX_TICKETS) break;
      this.#tickets.delete(key);
    }
    const ticket = `aift_${this.#randomBytes(32).toString('base64url')}`;
    this.#tickets.set(keyOf(ticket), { endsMs: nowMs + TICKET_LIFE_MS, origin });
    return ticket;
  }

  /** Uses it up, whatever comes of it. @param origin of the page that brings it. @returns whether it was good */
  take(ticket: string, origin: string | null): boolean {
    const key = keyOf(ticket);
    const found = this.#tickets.get(key);
    this.#tickets.delete(key);
    if (found === undefined || found.endsMs <= this.#clock.monotonicMs()) return false;
    return found.origin === null || found.origin === origin;
  }
}

/** Looked up by hash: how long it takes tells nothing of a ticket. */
function keyOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
