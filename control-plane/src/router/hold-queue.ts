import type { Clock, Random, Timer } from '@ai-fabric/shared';
import type { HeldGauge } from './gauge-types.js';
import type { Rank } from './queue/class-turns.js';
import { planDisplacement, type QueueBounds } from './queue/decide/plan-displacement.js';
import { retryAfterSeconds } from './queue/decide/plan-eta.js';
import { type Asker, countAhead } from './queue/decide/plan-place.js';
import { HeldEntry } from './queue/held-entry.js';
import { HoldLanes } from './queue/hold-lanes.js';
import { PacedWaits } from './queue/paced-waits.js';
import type { HeldRequest, HoldTicket, QueueOutlook, WaitDecision } from './route-types.js';

export interface RequestQueueDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly bounds: QueueBounds;
  /** Runs something as soon as the caller's stack is done. */
  readonly defer: (run: () => void) => void;
  /** Milliseconds until one that waits for these targets, with so many ahead of it, has its turn; `null`: not known. */
  readonly etaMs: (ahead: number, waitsFor: readonly string[]) => number | null;
}

/**
 * Owns the queue of held requests. Rooms tell it what changed; it lets those look again whom that concerns, in their turn, as
 * soon as the caller's stack is done: before any new request can be read, and never inside somebody's release.
 */
export class RequestQueue {
  readonly #deps: RequestQueueDeps;
  readonly #lanes = new HoldLanes();
  readonly #paced = new PacedWaits();
  #lastId = 0;
  #displacedTotal = 0;
  /** What changed since the last round; `null`: anything may have. */
  #woken: Set<string> | null = new Set();
  #isRoundDue = false;
  #round = 0;
  /** The one that looks again now, and the target whose turn it is: it is behind nobody. */
  #looking: { readonly held: HeldEntry; readonly target: string } | null = null;
  #timer: Timer | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: RequestQueueDeps) {
    this.#deps = deps;
  }

  get isEmpty(): boolean {
    return this.#lanes.count === 0;
  }

  get displacedTotal(): number {
    return this.#displacedTotal;
  }

  gauges(): readonly HeldGauge[] {
    return this.#lanes.gauges();
  }

  /** How many wait for a role that are no less urgent. */
  aheadOf(role: string, rank: Rank): number {
    return this.#lanes.countUpTo(role, rank);
  }

  /** Whether who asks for it now comes behind others that could go, were it not for prompts that are read first. */
  isBehind(role: string, rank: Rank): boolean {
    return this.#looking === null && this.#paced.isBehind(role, rank);
  }

  /** A request for this role was served. */
  wasServed(role: string): void {
    if (this.#looking === null) this.#paced.newcomerWent(role);
  }

  /** @returns `null` where it is full, and nobody in it has so much more than this one's key */
  join(request: HeldRequest, wait: WaitDecision): HoldTicket | null {
    const held = new HeldEntry(this.#lastId + 1, request, wait.reason === 'paced');
    const leaving = planDisplacement(this.#lanes, held, this.#deps.bounds);
    if (leaving === null) return null;
    for (const entry of leaving) this.#displace(entry);
    this.#lastId = held.id;
    this.#lanes.join(held, wait.waitsFor, this.#momentOf(wait));
    if (held.isPaced) this.#paced.joined(request.role, held.rank);
    this.#arm();
    return { leave: () => this.#leave(held), outlook: () => this.#outlookOf(held) };
  }

  /** How a newcomer would stand. */
  outlookFor(asker: Omit<Asker, 'held'>, waitsFor: readonly string[]): QueueOutlook {
    return this.#outlook({ ...asker, held: null }, waitsFor);
  }

  /** Milliseconds until one has its turn at these targets, as it would be told: who looks again, from where it stands. `null`: not known. */
  etaMsOf(asker: Omit<Asker, 'held'>, targets: readonly string[]): number | null {
    const looking = this.#looking?.held;
    const held = looking?.line == null ? null : { line: looking.line, id: looking.id };
    return this.#deps.etaMs(countAhead({ ...asker, held }, this.#lanes.competitors(targets)), targets);
  }

  /** @param target what changed; `null`: anything may have */
  wake(target: string | null): void {
    if (this.isEmpty) return;
    if (target === null) this.#woken = null;
    else this.#woken?.add(target);
    if (this.#isRoundDue) return;
    this.#isRoundDue = true;
    this.#deps.defer(this.#runRound);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Gives its place up. While it looks again, that is because it goes: then it was its turn. */
  #leave(held: HeldEntry): void {
    held.hasLeft = true;
    this.#remove(held, held === this.#looking?.held ? this.#looking.target : null);
  }

  readonly #runRound = (): void => {
    this.#isRoundDue = false;
    const woken = this.#woken ?? this.#lanes.targets;
    this.#woken = new Set();
    this.#round += 1;
    for (const target of woken) {
      for (;;) {
        const held = this.#lanes.next(target, this.#round);
        if (held === null) break;
        this.#offer(held, target);
      }
    }
    this.#arm();
  };

  #offer(held: HeldEntry, target: string): void {
    const wait = this.#look(held, target);
    if (wait === null) this.#remove(held, target);
    // It may have left while it looked.
    if (wait === null || held.line === null) return;
    this.#lanes.waitsOn(held, wait.waitsFor, this.#momentOf(wait), this.#round);
    const isPaced = wait.reason === 'paced';
    if (isPaced === held.isPaced) return;
    held.isPaced = isPaced;
    if (isPaced) this.#paced.joined(held.request.role, held.rank);
    else this.#paced.left(held.request.role, held.rank);
  }

  #look(held: HeldEntry, target: string): WaitDecision | null {
    this.#looking = { held, target };
    try {
      return held.request.lookAgain();
    } finally {
      this.#looking = null;
    }
  }

  /** @param target whose turn it was; `null`: nobody's turn is spent */
  #remove(held: HeldEntry, target: string | null): void {
    if (held.line === null) return;
    if (target === null) this.#lanes.remove(held);
    else this.#lanes.served(held, target);
    if (held.isPaced) this.#paced.left(held.request.role, held.rank);
  }

  #displace(held: HeldEntry): void {
    const outlook = this.#outlookOf(held);
    this.#remove(held, null);
    this.#displacedTotal += 1;
    this.#deps.defer(() => {
      if (!held.hasLeft) held.request.displaced(outlook);
    });
  }

  #outlookOf({ line, id, rank, request }: HeldEntry): QueueOutlook {
    const asker = { role: request.role, key: request.key, rank, held: line === null ? null : { line, id } };
    return this.#outlook(asker, line?.lane.waitsFor ?? []);
  }

  #outlook(asker: Asker, waitsFor: readonly string[]): QueueOutlook {
    const ahead = countAhead(asker, this.#lanes.competitors(waitsFor));
    const etaMs = this.#deps.etaMs(ahead, waitsFor);
    const retry = etaMs === null ? null : retryAfterSeconds(etaMs, this.#deps.random());
    return { position: ahead + 1, etaMs, retryAfterSeconds: retry };
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    const nowMs = this.#deps.clock.monotonicMs();
    for (;;) {
      const held = this.#lanes.firstToEnd;
      if (held === undefined || held.dueAtMs > nowMs) break;
      const outlook = this.#outlookOf(held);
      this.#remove(held, null);
      held.request.patienceOver(outlook);
    }
    for (;;) {
      const lane = this.#lanes.firstToLook;
      if (lane === undefined || lane.dueAtMs > nowMs) break;
      this.#lanes.looksNow(lane);
      for (const target of lane.waitsFor) this.wake(target);
    }
    this.#arm();
  };

  /** What is due in a fraction of a millisecond would come round again at once. */
  #momentOf({ lookAgainInMs }: WaitDecision): number {
    if (lookAgainInMs === null) return Number.POSITIVE_INFINITY;
    return this.#deps.clock.monotonicMs() + Math.max(LEAST_LOOK_MS, lookAgainInMs);
  }

  /** One timer for all. Where its moment is no more anybody's it comes in vain: cheaper than to move it with each change. */
  #arm(): void {
    const endMs = this.#lanes.firstToEnd?.dueAtMs ?? Number.POSITIVE_INFINITY;
    const lookMs = this.#lanes.firstToLook?.dueAtMs ?? Number.POSITIVE_INFINITY;
    const atMs = Math.min(endMs, lookMs);
    if (!Number.isFinite(atMs) || (this.#timer !== null && this.#timerAtMs <= atMs)) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, atMs - this.#deps.clock.monotonicMs());
    this.#timer = this.#deps.clock.after(delayMs, this.#onTimer);
  }
}

const LEAST_LOOK_MS = 5;
