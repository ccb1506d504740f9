import { nameOf } from '../engine-facts.js';
import { type Rank, rankOf } from '../queue/class-turns.js';
import type { Asker } from '../queue/decide/plan-place.js';
import type { RouteRequest } from '../route-types.js';

/** As it would stand in the queue. */
export function askerOf(request: RouteRequest): Omit<Asker, 'held'> {
  return { role: nameOf(request.resolved), key: request.hints?.key ?? '', rank: rankOfRequest(request) };
}

export function rankOfRequest({ requestClass = 'normal' }: RouteRequest): Rank {
  return rankOf(requestClass);
}

/** Batch requests and checks take what is there, and keep no host awake. */
export function isUse({ requestClass = 'normal', wakes = 'not_asked' }: RouteRequest): boolean {
  return requestClass !== 'batch' && wakes !== 'not_asked';
}
