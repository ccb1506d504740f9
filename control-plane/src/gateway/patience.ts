import type { RequestClass } from '../declared/request-class.js';
import type { WakeFlight } from '../live/host-power.js';
import type { HeldRequest, HoldTicket, QueueOutlook, WaitDecision } from '../router/route-types.js';
import type { Expiring } from './deadlines.js';
import { describeOutlook } from './decide/describe-outlook.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';
import type { HoldOutcome } from './gateway-metrics.js';
import type { GatewayParts } from './gateway-parts.js';

/** Whose request is held. */
export interface PatienceOwner {
  lookAgain(): WaitDecision | null;
  /** It is held no longer, though nothing has come: its patience is over, or its place was needed. */
  waitIsOver(): void;
  /** A held stream has been silent for long: a comment tells what is waited for. */
  onSilence(text: string): void;
  /** The wake that it waits for, as it is now; `null`: none. */
  flight(): WakeFlight | null;
}

export interface PatientRequest {
  readonly key: string;
  readonly role: string;
  readonly requestClass: RequestClass;
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
  readonly requestClass: RequestClass;
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
  /** Of the wake that it waits for, as far as that was told. */
  #toldPhase: WakeFlight['phase'] = null;
  #commentAtMs = Number.POSITIVE_INFINITY;
  /** How it stood in the queue when it was held no longer; `null`: it was not held in vain. */
  #outlook: QueueOutlook | null = null;
  #sinceMs: number | null = null;
  #heldMs = 0;

  constructor(parts: GatewayParts, owner: PatienceOwner, request: PatientRequest, wait: WaitDecision) {
    this.key = request.key;
    this.role = request.role;
    this.requestClass = request.requestClass;
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

  get outlook(): QueueOutlook | null {
    return this.#outlook;
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
      this.#tell('queue_full', 0);
      return false;
    }
    this.#outlook = null;
    this.#ticket = ticket;
    this.#take(wait);
    const nowMs = this.#parts.clock.monotonicMs();
    this.#sinceMs = nowMs;
    if (this.#isStream) {
      this.#commentAtMs = nowMs + GATEWAY_LIMITS.heldSilenceMs;
      this.expiresAtMs = this.#commentAtMs;
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
    this.#tell(told, lastedMs / 1000);
  }

  #tell(outcome: HoldOutcome, seconds: number): void {
    this.#parts.metrics.holdEnded(this.role, this.requestClass, outcome, seconds);
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

  patienceOver(outlook: QueueOutlook): void {
    this.#endInVain('patience_over', outlook);
  }

  displaced(outlook: QueueOutlook): void {
    this.#endInVain('displaced', outlook);
  }

  #endInVain(outcome: 'patience_over' | 'displaced', outlook: QueueOutlook): void {
    if (!this.isHeld) return;
    this.#outlook = outlook;
    this.end(outcome);
    this.#owner.waitIsOver();
  }

  onExpired(nowMs: number): void {
    const flight = this.#owner.flight();
    if (nowMs >= this.#commentAtMs || (flight !== null && flight.phase !== this.#toldPhase)) {
      this.#commentAtMs = nowMs + GATEWAY_LIMITS.heldCommentEveryMs;
      this.#toldPhase = flight?.phase ?? null;
      this.#comment(flight);
    }
    const lookMs = flight === null ? Number.POSITIVE_INFINITY : nowMs + GATEWAY_LIMITS.wakeLookMs;
    this.expiresAtMs = Math.min(this.#commentAtMs, lookMs);
  }

  #comment(flight: WakeFlight | null): void {
    // It is as good as sent: an engine would have said nothing yet either.
    if (this.#isPaced) return;
    const outlook = this.#ticket === null ? '' : `; ${describeOutlook(this.#ticket.outlook())}`;
    const detail = flight?.text ?? this.#detail;
    this.#owner.onSilence(`held for ${Math.round(this.heldMs / 1000)} s${outlook}; ${detail}`);
  }
}
