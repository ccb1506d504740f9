import type { Clock } from '@ai-fabric/shared';
import { ACK_INTERVAL_MS } from './decide/link-limits.js';
import type { LinkEntry } from './link-entry.js';

/**
 * Says to agents what was taken in: with each heartbeat, and at most once a second what they wait for. A thousand
 * agents with a live sample a second each would otherwise cost a thousand writes a second for nothing.
 */
export class AckDesk {
  readonly #clock: Clock;
  readonly #send: (entry: LinkEntry, seq: number) => void;
  readonly #due = new Set<LinkEntry>();

  constructor(clock: Clock, send: (entry: LinkEntry, seq: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** A report was taken in. @param awaited its agent waits to be told: it frees a backfill's place, or ends a change */
  owe(entry: LinkEntry, awaited: boolean): void {
    if (!awaited) return;
    this.#due.add(entry);
    this.#payIfDue(entry);
  }

  /** The link ended: its agent sends again what it does not know to be taken. */
  forget(entry: LinkEntry): void {
    this.#due.delete(entry);
  }

  tick(): void {
    for (const entry of this.#due) this.#payIfDue(entry);
  }

  /** The ack goes before the ping: its pong then proves that the agent has it. */
  heartbeat(entry: LinkEntry): void {
    if (entry.state.name !== 'linked') return;
    entry.socket.together(() => {
      this.#pay(entry);
      entry.pingedMark = entry.telemetry?.seen.mark ?? 0;
      entry.pingedAtMs = this.#clock.monotonicMs();
      entry.socket.ping(String(entry.pingedMark));
    });
  }

  pong(entry: LinkEntry, payload: string): void {
    const mark = Number(payload);
    // Only of this link, and only what we have sent ourselves: the payload is the peer's to choose.
    if (entry.state.name !== 'linked') return;
    if (payload === '' || !Number.isInteger(mark) || mark > entry.pingedMark) return;
    if (mark === entry.pingedMark) entry.roundTripMs = this.#clock.monotonicMs() - entry.pingedAtMs;
    entry.telemetry?.seen.forgetThrough(mark);
  }

  #payIfDue(entry: LinkEntry): void {
    if (this.#clock.monotonicMs() - entry.ackedAtMs >= ACK_INTERVAL_MS) this.#pay(entry);
  }

  #pay(entry: LinkEntry): void {
    this.#due.delete(entry);
    if (entry.state.name !== 'linked' || entry.state.seq <= entry.ackedSeq) return;
    entry.ackedSeq = entry.state.seq;
    entry.ackedAtMs = this.#clock.monotonicMs();
    this.#send(entry, entry.ackedSeq);
  }
}
