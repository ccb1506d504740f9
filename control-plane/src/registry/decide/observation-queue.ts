import type { LearnedObservation, Observation, SeenObservation, TelemetryMinute } from '../registry-types.js';

type Latest = Exclude<Observation, { kind: 'hostEvent' | 'powerEvent' | 'powerUse' | 'telemetryMinute' }>;
type Event = Extract<Observation, { kind: 'hostEvent' | 'powerEvent' | 'powerUse' }>;

/** Of hosts, but for their telemetry. */
export type SeenOfHost = Exclude<SeenObservation, TelemetryMinute>;

export function isLearned(observation: Observation): observation is LearnedObservation {
  return !('hostId' in observation);
}

export function isSeen(observation: Observation): observation is SeenOfHost {
  return 'hostId' in observation && observation.kind !== 'telemetryMinute';
}

export interface QueueBounds {
  /** Things (a host's, an engine's, a role's) of which a latest value may wait. */
  readonly latest: number;
  readonly events: number;
  /** Minutes of hosts. */
  readonly telemetry: number;
}

/**
 * What waits to be written: of each thing and kind the latest alone, events and telemetry one by one. Bounded: a value of one
 * more host is turned away, and a new event or minute of telemetry pushes out the oldest.
 */
export class ObservationQueue {
  readonly #latest = new Map<string, Latest>();
  #events: Event[] = [];
  #telemetry: TelemetryMinute[] = [];
  readonly #bounds: QueueBounds;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#latest.size + this.#events.length + this.#telemetry.length;
  }

  get telemetry(): readonly TelemetryMinute[] {
    return this.#telemetry;
  }

  /** @returns how many observations were lost by it: 0 or 1 */
  add(observation: Observation): number {
    switch (observation.kind) {
      case 'hostEvent':
      case 'powerEvent':
      case 'powerUse':
        return addBounded(this.#events, observation, this.#bounds.events);
      case 'telemetryMinute':
        return addBounded(this.#telemetry, observation, this.#bounds.telemetry);
      default:
        return this.#addLatest(observation);
    }
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
    const telemetry = this.#telemetry.slice(0, limit - taken.length);
    this.#telemetry = this.#telemetry.slice(telemetry.length);
    return [...taken, ...telemetry];
  }

  #addLatest(observation: Latest): number {
    const key = keyOf(observation);
    const before = this.#latest.get(key);
    if (!before && this.#latest.size >= this.#bounds.latest) return 1;
    // What is forgotten and learned anew is written in that order.
    if (isLearned(observation)) this.#latest.delete(key);
    this.#latest.set(key, mergeSeen(before, observation));
    return 0;
  }
}

/** Names may hold any character but this one. */
const BETWEEN = '\0';

function keyOf(observation: Latest): string {
  switch (observation.kind) {
    case 'learnedRates':
      return [observation.kind, observation.host, observation.model, observation.image].join(BETWEEN);
    case 'ratesForgotten':
      return [observation.kind, observation.host, observation.model].join(BETWEEN);
    case 'answerLengths':
      return [observation.kind, observation.role, observation.key].join(BETWEEN);
    case 'wake':
      return [observation.kind, observation.wake.wakeId].join(BETWEEN);
    case 'loadTimes':
      return [observation.kind, observation.hostId, observation.deployment].join(BETWEEN);
    case 'wakeProof':
      return [observation.kind, observation.hostId, observation.fromState].join(BETWEEN);
    default:
      return [observation.kind, observation.hostId].join(BETWEEN);
  }
}

/** @returns how many were pushed out: 0 or 1 */
function addBounded<Item>(items: Item[], item: Item, bound: number): number {
  items.push(item);
  if (items.length <= bound) return 0;
  items.shift();
  return 1;
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
