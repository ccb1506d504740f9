import type { ReplicaPhase } from '@ai-fabric/shared';
import type { OwnUse } from './judge-foreign-use.js';

/** What is known of one replica of ours. */
export interface OwnReplica {
  readonly deployment: string;
  readonly phase: ReplicaPhase;
  /** Somebody else runs it, and we only watch. */
  readonly external: boolean;
  /** Tells one run of its container from the next. */
  readonly run: string;
  /** Cards that it was given; empty: not known, so any. */
  readonly cards: readonly string[];
  /** What it is known to take of this card, in bytes. */
  readonly footprintBytes: number | null;
  /** Requests are in it. */
  readonly busy: boolean;
}

/** An engine that sleeps keeps its CUDA context. */
const ASLEEP_BYTES = 1024 ** 3;
/** A card's counters tell of a moment ago. */
const LINGER_MS = 4_000;

type Part = 'none' | 'moving' | 'running' | 'asleep';

/**
 * What of a card is ours.
 *
 * @param busyAtMs when a replica on this card last had a request, monotonic
 */
export function describeOwnUse(
  card: string,
  replicas: readonly OwnReplica[],
  busyAtMs: number,
  nowMs: number,
): OwnUse {
  const here = replicas.filter(({ cards }) => cards.length === 0 || cards.includes(card));
  const parts = here.map((replica) => ({ replica, part: partOf(replica) }));
  if (parts.some(({ part }) => part === 'moving')) return { kind: 'moving' };
  const there = parts.filter(({ part }) => part !== 'none');
  let bytes: number | null = 0;
  for (const { replica, part } of there) {
    const own = part === 'asleep' ? ASLEEP_BYTES : replica.footprintBytes;
    bytes = bytes === null || own === null ? null : bytes + own;
  }
  const signature = there
    .map(({ replica, part }) => `${replica.deployment} ${part} ${replica.run}`)
    .sort()
    .join('\n');
  return { kind: 'steady', signature, bytes, busy: nowMs - busyAtMs < LINGER_MS };
}

function partOf({ phase, external }: OwnReplica): Part {
  switch (phase) {
    case 'ready':
      return 'running';
    case 'parked':
      return 'asleep';
    case 'absent':
    case 'pulling':
      return 'none';
    case 'failed':
    case 'crash_looping':
    case 'starting':
      // Of an engine that others start nobody tells us when it loads: while it does not answer, it may.
      return external || phase === 'starting' ? 'moving' : 'none';
    case 'creating':
    case 'loading':
    case 'warming':
    case 'draining':
    case 'stopping':
      return 'moving';
    default:
      return phase satisfies never;
  }
}
