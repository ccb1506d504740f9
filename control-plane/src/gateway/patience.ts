import type { HeldRequest, HoldTicket, WaitDecision } from '../router/route-types.js';
import type { Expiring } from './deadlines.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';
import type { HoldOutcome } from './gateway-metrics.js';
import type { GatewayParts } from './gateway-parts.js';

/** Whose request is held. */
export interface PatienceOwner {
  lookAgain(): WaitDecision | null;
  patienceOver(): void;
  /** A held stream has been silent for long: a comment tells what is waited for. */
  onSilence(text: string): void;
}

export interface PatientRequest {
  readonly key: string;
  readonly role: string;
  readonly bytes: number;
  readonly stream: boolean;
  /** Monotonic milliseconds, from which patience counts. */
  readonly nowMs: number;
  /** Patience never outlasts the request's own deadline. */
  readonly totalAtMs: number;
}

/** The waiting of one request, however often it waits: made with its first wait, since most requests have none. */
export class Patience implements HeldRequest, Expiring {
  readonly key: string;
  readonly role: string;
  readonly bytes: number;
  readonly patienceEndsAtMs: number;
  expiresAtMs = Number.POSITIVE_INFINITY;
  slot = -1;
  readonly #parts: GatewayParts;
  readonly #owner: PatienceOwner;
  readonly #isStream: boolean;
  #ticket: HoldTicket | null = null;
  #detail = '';
  #isPaced = false;
  #sinceMs: number | null = null;
  #heldMs = 0;

  constructor(parts: GatewayParts, owner: PatienceOwner, request: PatientRequest, wait: WaitDecision) {
    this.key = request.key;
    this.role = request.role;
    this.bytes = request.bytes;
    this.patienceEndsAtMs = Math.min(request.nowMs + wait.patienceMs, request.totalAtMs);
    this.#parts = parts;
    this.#owner = owner;
    this.#isStream = request.stream;
  }

  /** What it has waited, all its waits together. */
  get heldMs(): number {
    return this.#heldMs + (this.#sinceMs === null ? 0 : this.#parts.clock.monotonicMs() - this.#sinceMs);
  }

  get isHeld(): boolean {
    return this.#sinceMs !== null;
  }

  get isOver(): boolean {
    return this.#parts.clock.monotonicMs() >= this.patienceEndsAtMs;
  }

  /** @returns false where there is no patience left, or no place in the queue */
  begin(wait: WaitDecision): boolean {
    if (this.isOver) return false;
    const ticket = this.#parts.router.hold(this, wait);
    if (ticket === null) {
      this.#parts.metrics.holdEnded(this.role, 'queue_full', 0);
      return false;
    }
    this.#ticket = ticket;
    this.#take(wait);
    const nowMs = this.#parts.clock.monotonicMs();
    this.#sinceMs = nowMs;
    if (this.#isStream) {
      this.expiresAtMs = nowMs + GATEWAY_LIMITS.heldSilenceMs;
      this.#parts.deadlines.watch(this);
    }
    return true;
  }

  /** The wait is over, whatever came of it. Safe to call again. */
  end(outcome: HoldOutcome): void {
    if (this.#sinceMs === null) return;
    const lastedMs = this.#parts.clock.monotonicMs() - this.#sinceMs;
    this.#sinceMs = null;
    this.#heldMs += lastedMs;
    this.#parts.deadlines.unwatch(this);
    this.#ticket?.leave();
    this.#ticket = null;
    const told = outcome === 'served' && this.#isPaced ? 'paced' : outcome;
    this.#parts.metrics.holdEnded(this.role, told, lastedMs / 1000);
  }

  lookAgain(): WaitDecision | null {
    const wait = this.#owner.lookAgain();
    if (wait !== null) this.#take(wait);
    return wait;
  }

  #take(wait: WaitDecision): void {
    this.#detail = wait.detail;
    this.#isPaced = wait.reason === 'paced';
  }

  patienceOver(): void {
    this.#owner.patienceOver();
  }

  onExpired(nowMs: number): void {
    this.expiresAtMs = nowMs + GATEWAY_LIMITS.heldCommentEveryMs;
    // It is as good as sent: an engine would have said nothing yet either.
    if (this.#isPaced) return;
    this.#owner.onSilence(`held for ${Math.round(this.heldMs / 1000)} s; ${this.#detail}`);
  }
}
