import type { RequestClass } from '../../declared/request-class.js';
import { HeldEntry } from '../queue/held-entry.js';
import type { HoldLanes } from '../queue/hold-lanes.js';
import type { HeldRequest } from '../route-types.js';

export interface HeldParts {
  readonly key?: string;
  readonly role?: string;
  readonly requestClass?: RequestClass;
  readonly bytes?: number;
  readonly endsAtMs?: number;
}

/** A request in the queue that nobody asks anything. */
export function heldOf(id: number, parts: HeldParts = {}): HeldEntry {
  const { key = 'notes', role = 'chat-fast', requestClass = 'normal', bytes = 1, endsAtMs = 50_000 } = parts;
  const request: HeldRequest = {
    ...{ key, role, requestClass, bytes, patienceEndsAtMs: endsAtMs },
    lookAgain: () => null,
    patienceOver: () => undefined,
    displaced: () => undefined,
  };
  return new HeldEntry(id, request, false);
}

/** Serves one after the other, as a replica does that takes one at a time. */
export function serveAll(lanes: HoldLanes, target = 'a', round = 1): HeldEntry[] {
  const served: HeldEntry[] = [];
  for (let entry = lanes.next(target, round); entry !== null; entry = lanes.next(target, round)) {
    served.push(entry);
    lanes.served(entry, target);
  }
  return served;
}
