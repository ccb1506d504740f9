import type { Clock, Timer } from '@ai-fabric/shared';
import {
  dueTargets,
  emptyHoldQueue,
  type HeldEntry,
  type HoldEvent,
  type HoldQueue,
  type HoldQueueBounds,
  nextInTurn,
  nextMoment,
  overdue,
  stepHoldQueue,
} from './decide/step-hold-queue.js';
import type { HeldRequest, HoldTicket, WaitDecision } from './route-types.js';

interface Held {
  readonly request: HeldRequest;
  entry: HeldEntry;
  isPaced: boolean;
}

/**
 * Owns the queue of held requests. Rooms tell it what changed; it lets those look again whom that concerns, in their turn, as
 * soon as the caller's stack is done: before any new request can be read, and never inside somebody's release.
 */
export class RequestQueue {
  readonly #clock: Clock;
  readonly #bounds: HoldQueueBounds;
  readonly #defer: (run: () => void) => void;
  readonly #requests = new Map<number, Held>();
  /** Of each role, how many wait only for replicas to have read what they have. */
  readonly #paced = new Map<string, number>();
  #queue: HoldQueue = emptyHoldQueue;
  #lastId = 0;
  /** What changed since the last round; `null`: anything may have. */
  #woken: Set<string> | null = new Set();
  #isRoundDue = false;
  /** One that is held looks again: it is behind nobody. */
  #isLooking = false;
  #timer: Timer | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  /** @param defer runs something as soon as the caller's stack is done */
  constructor(clock: Clock, bounds: HoldQueueBounds, defer: (run: () => void) => void) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#defer = defer;
  }

  get isEmpty(): boolean {
    return this.#queue.count === 0;
  }

  /** Whether who asks for it now comes behind others that could go, were it not for prompts that are read first. */
  isBehind(role: string): boolean {
    return !this.#isLooking && this.#paced.has(role);
  }

  get perRole(): ReadonlyMap<string, number> {
    return this.#queue.perRole;
  }

  join(request: HeldRequest, wait: WaitDecision): HoldTicket | null {
    this.#lastId += 1;
    const entry = this.#entryOf(this.#lastId, request, wait);
    if (!this.#step({ kind: 'joined', entry })) return null;
    const isPaced = wait.reason === 'paced';
    this.#requests.set(entry.id, { request, entry, isPaced });
    if (isPaced) this.#countPaced(entry.role, +1);
    this.#armFor(Math.min(entry.endsAtMs, entry.lookAtMs));
    return { leave: () => this.#remove(entry.id, 'left') };
  }

  /** @param target what changed; `null`: anything may have */
  wake(target: string | null): void {
    if (this.isEmpty) return;
    if (target === null) this.#woken = null;
    else this.#woken?.add(target);
    if (this.#isRoundDue) return;
    this.#isRoundDue = true;
    this.#defer(this.#round);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  readonly #round = (): void => {
    this.#isRoundDue = false;
    const woken = this.#woken;
    this.#woken = new Set();
    const passed = new Set<number>();
    for (;;) {
      const entry = nextInTurn(this.#queue, woken, passed);
      if (entry === null) break;
      passed.add(entry.id);
      const wait = this.#offer(entry.id);
      if (wait === null) this.#remove(entry.id, 'served');
      else this.#keep(entry, wait);
    }
    this.#armAnew();
  };

  #offer(id: number): WaitDecision | null {
    this.#isLooking = true;
    try {
      return this.#requests.get(id)?.request.lookAgain() ?? null;
    } finally {
      this.#isLooking = false;
    }
  }

  #keep(entry: HeldEntry, wait: WaitDecision): void {
    const held = this.#requests.get(entry.id);
    // It may have left while it looked.
    if (held === undefined) return;
    const now = { ...this.#entryOf(entry.id, held.request, wait), endsAtMs: entry.endsAtMs };
    this.#step({ kind: 'waits', entry, now });
    held.entry = now;
    const isPaced = wait.reason === 'paced';
    if (isPaced !== held.isPaced) this.#countPaced(now.role, isPaced ? +1 : -1);
    held.isPaced = isPaced;
  }

  #countPaced(role: string, by: 1 | -1): void {
    const count = (this.#paced.get(role) ?? 0) + by;
    if (count === 0) this.#paced.delete(role);
    else this.#paced.set(role, count);
  }

  #remove(id: number, kind: 'served' | 'left'): void {
    const held = this.#requests.get(id);
    if (held === undefined) return;
    this.#requests.delete(id);
    if (held.isPaced) this.#countPaced(held.entry.role, -1);
    this.#step({ kind, entry: held.entry });
    if (this.isEmpty) this.#armAnew();
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    for (const { id } of overdue(this.#queue, nowMs)) {
      const held = this.#requests.get(id);
      this.#remove(id, 'left');
      held?.request.patienceOver();
    }
    for (const target of dueTargets(this.#queue, nowMs)) this.wake(target);
    // A round that is due arms the timer when it is over: until then what is due stays due.
    if (!this.#isRoundDue) this.#armAnew();
  };

  #entryOf(id: number, request: HeldRequest, wait: WaitDecision): HeldEntry {
    const { key, role, bytes, patienceEndsAtMs } = request;
    const { waitsFor, lookAgainInMs } = wait;
    const lookAtMs =
      lookAgainInMs === null
        ? Number.POSITIVE_INFINITY
        : this.#clock.monotonicMs() + Math.max(LEAST_LOOK_MS, lookAgainInMs);
    return { id, key, role, bytes, waitsFor, endsAtMs: patienceEndsAtMs, lookAtMs };
  }

  #step(event: HoldEvent): boolean {
    const next = stepHoldQueue(this.#queue, event, this.#bounds);
    if (next === null) return false;
    this.#queue = next;
    return true;
  }

  #armAnew(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#armFor(nextMoment(this.#queue));
  }

  /** One timer for all: set for the earliest moment, and never moved later by a single request. */
  #armFor(atMs: number): void {
    if (!Number.isFinite(atMs) || (this.#timer !== null && this.#timerAtMs <= atMs)) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), this.#onTimer);
  }
}

/** What is due in a fraction of a millisecond would come round again at once. */
const LEAST_LOOK_MS = 5;
