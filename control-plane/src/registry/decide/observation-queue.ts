import type { Observation } from '../registry-types.js';

type Latest = Exclude<Observation, { kind: 'hostEvent' }>;
type Event = Extract<Observation, { kind: 'hostEvent' }>;

export interface QueueBounds {
  /** Hosts times kinds of which a latest value may wait. */
  readonly latest: number;
  readonly events: number;
}

/**
 * What waits to be written: of each host and kind the latest alone, and events one by one. Bounded: a value of one
 * more host is turned away, and a new event pushes out the oldest.
 */
export class ObservationQueue {
  readonly #latest = new Map<string, Latest>();
  #events: Event[] = [];
  readonly #bounds: QueueBounds;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#latest.size + this.#events.length;
  }

  /** @returns how many observations were lost by it: 0 or 1 */
  add(observation: Observation): number {
    return observation.kind === 'hostEvent' ? this.#addEvent(observation) : this.#addLatest(observation);
  }

  /** Takes at most `limit` out, events first: their order tells a story, and the latest values lose nothing by waiting. */
  take(limit: number): Observation[] {
    const taken: Observation[] = this.#events.slice(0, limit);
    this.#events = this.#events.slice(taken.length);
    for (const [key, observation] of this.#latest) {
      if (taken.length >= limit) break;
      taken.push(observation);
      this.#latest.delete(key);
    }
    return taken;
  }

  #addEvent(event: Event): number {
    this.#events.push(event);
    if (this.#events.length <= this.#bounds.events) return 0;
    this.#events.shift();
    return 1;
  }

  #addLatest(observation: Latest): number {
    const key = `${observation.kind} ${observation.hostId}`;
    const before = this.#latest.get(key);
    if (!before && this.#latest.size >= this.#bounds.latest) return 1;
    this.#latest.set(key, mergeSeen(before, observation));
    return 0;
  }
}

/** What a later sight of a host does not know is still true as the earlier one said it. */
function mergeSeen(before: Latest | undefined, next: Latest): Latest {
  if (before?.kind !== 'hostSeen' || next.kind !== 'hostSeen') return next;
  return {
    ...next,
    agentVersion: next.agentVersion ?? before.agentVersion,
    clockSkewMs: next.clockSkewMs ?? before.clockSkewMs,
  };
}
