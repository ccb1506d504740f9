import type { ReplicaCandidate } from '../candidate.js';

export interface LoadSettings {
  /** A reading younger than this counts in full; agents report every 1–2 s. */
  readonly freshMs: number;
  /** Beyond that, half of what sets a reading apart from the prior is forgotten after this long. */
  readonly staleHalfLifeMs: number;
  /** What an unknown KV cache usage counts as: neither empty nor full. */
  readonly unknownKvUsageRatio: number;
  /** What a full KV cache adds, in shares of a replica's whole capacity. */
  readonly kvWeight: number;
  /** What a long queue inside the engine adds, likewise. */
  readonly waitingWeight: number;
  /** Requests waiting inside the engine from which its queue counts as long. llm-d's threshold. */
  readonly longQueue: number;
}

/** What `predictLoad` reads; a part of a candidate. */
export type LoadInputs = Pick<
  ReplicaCandidate,
  'deployment' | 'inflight' | 'externalLoad' | 'waiting' | 'kvUsageRatio' | 'readingAgeMs'
>;

/**
 * The load that a replica is under, in units of its own capacity: 0 idle, 1 every slot taken; more is possible.
 *
 *     load = (own in-flight + external) / slots  +  kvWeight · kv  +  waitingWeight · min(1, waiting / longQueue)
 *
 * The first term is ours and exact. The other two tell that an engine is fuller than its slots show (long
 * contexts, preemption close) and come from readings that lag: so they weigh less, and fade with age. Missing is
 * not zero: an unknown KV usage counts as `unknownKvUsageRatio`, and a reading that grows stale moves towards
 * it, from either side (AIBrix counts missing metrics as no load and floods whatever has just come up). A
 * fading queue has nothing to move to but 0: what it held of ours is counted in-flight, and for the rest the
 * KV prior already stands.
 *
 * Only comparisons between replicas matter to the caller. Seconds predicted from learned rates can take this
 * function's place without a change elsewhere.
 */
export function predictLoad(replica: LoadInputs, settings: LoadSettings): number {
  const occupancy = (replica.inflight + replica.externalLoad) / replica.deployment.maxConcurrent;
  const trust = readingTrust(replica.readingAgeMs, settings);
  const prior = settings.unknownKvUsageRatio;
  const kv = replica.kvUsageRatio === null ? prior : prior + (replica.kvUsageRatio - prior) * trust;
  const waiting = replica.waiting === null ? 0 : Math.min(1, replica.waiting / settings.longQueue) * trust;
  return occupancy + settings.kvWeight * kv + settings.waitingWeight * waiting;
}

/** How much of a reading still counts: 1 while fresh, then halved every half-life, 0 without one. */
function readingTrust(ageMs: number | null, settings: LoadSettings): number {
  if (ageMs === null) return 0;
  if (ageMs <= settings.freshMs) return 1;
  return 2 ** (-(ageMs - settings.freshMs) / settings.staleHalfLifeMs);
}
