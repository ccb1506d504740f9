import type { Clock, Timer } from '@ai-fabric/shared';

interface Event {
  readonly atMs: number;
  /** Of two at the same moment the one that was added first goes first. */
  readonly order: number;
  run: (() => void) | null;
}

/** What will happen in a simulation, in order of its time: a binary heap. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #lastOrder = 0;

  /** When the next event is due; `Infinity`: there is none. */
  get nextAtMs(): number {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run !== null) return first.atMs;
      this.#removeFirst();
    }
    return Number.POSITIVE_INFINITY;
  }

  add(atMs: number, run: () => void): Timer {
    this.#lastOrder += 1;
    const event: Event = { atMs, order: this.#lastOrder, run };
    this.#insert(event);
    return {
      cancel: () => {
        event.run = null;
      },
    };
  }

  /** Lets the next event happen. */
  runNext(): void {
    const event = this.#removeFirst();
    event?.run?.();
  }

  #insert(event: Event): void {
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  #removeFirst(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(last, child)) break;
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** As a real timer, one of the laboratory is never early: sums of fractions are, by their last bit. */
const TIMER_LATE_MS = 1e-6;

/** A clock whose timers are events of a simulation. */
export class LabClock implements Clock {
  readonly #events: EventQueue;
  readonly #startWallMs = 1_700_000_000_000;
  #nowMs = 0;

  constructor(events: EventQueue) {
    this.#events = events;
  }

  moveTo(atMs: number): void {
    this.#nowMs = atMs;
  }

  nowMs(): number {
    return this.#startWallMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#events.add(this.#nowMs + delayMs + TIMER_LATE_MS, run);
  }

  every(periodMs: number, run: () => void): Timer {
    let isOver = false;
    const tick = (): void => {
      if (isOver) return;
      this.#events.add(this.#nowMs + periodMs, tick);
      run();
    };
    this.#events.add(this.#nowMs + periodMs, tick);
    return {
      cancel: () => {
        isOver = true;
      },
    };
  }
}
