import { MAX_RIVALS, PROBE_DEADLINE_MS } from './link-limits.js';

/** A proven newcomer that waits for the incumbent's sign of life. */
export interface Rival {
  readonly linkId: number;
  readonly instanceId: string;
}

/** One host with a link that is asked whether it is alive, and those who would take its place. */
export interface Rivalry {
  readonly incumbentId: number;
  /** Monotonic. */
  readonly askedAtMs: number;
  /** In the order of arrival; never empty, each instance once. */
  readonly rivals: readonly Rival[];
}

export type RivalEvent =
  | { readonly type: 'rival_came'; readonly incumbentId: number; readonly rival: Rival }
  | { readonly type: 'rival_left'; readonly linkId: number }
  /** A frame or pong of the incumbent. */
  | { readonly type: 'incumbent_spoke' }
  | { readonly type: 'incumbent_left' }
  | { readonly type: 'tick' };

export interface RivalDecision {
  /** `null`: it is settled, or there never was one. */
  readonly rivalry: Rivalry | null;
  /** Ask the incumbent for a sign of life. */
  readonly ask: boolean;
  /** Takes the host; the incumbent, where it still is, is superseded. */
  readonly winner: number | null;
  /** Somebody else with this identity lives: `identity_in_use`. */
  readonly refused: readonly number[];
  /** An earlier attempt of an instance that came again. */
  readonly superseded: readonly number[];
}

/**
 * Two agents claim to be the same host. Only one that is silent may be replaced: a copied disk or a stolen key must
 * not push out the host that is alive, and a host whose old connection died unseen must not stay locked out by it.
 *
 * @param nowMs monotonic
 */
export function settleRivals(rivalry: Rivalry | null, event: RivalEvent, nowMs: number): RivalDecision {
  switch (event.type) {
    case 'rival_came':
      return rivalCame(rivalry, event.incumbentId, event.rival, nowMs);
    case 'rival_left':
      return rivalry ? keepRivals(rivalry, (rival) => rival.linkId !== event.linkId) : nothing(null);
    case 'incumbent_spoke':
      return { ...nothing(null), refused: rivalry?.rivals.map(({ linkId }) => linkId) ?? [] };
    case 'incumbent_left':
      return rivalry ? firstWins(rivalry) : nothing(null);
    case 'tick':
      if (!rivalry || nowMs - rivalry.askedAtMs < PROBE_DEADLINE_MS) return nothing(rivalry);
      return firstWins(rivalry);
    default:
      return event satisfies never;
  }
}

function rivalCame(rivalry: Rivalry | null, incumbentId: number, rival: Rival, nowMs: number): RivalDecision {
  if (!rivalry) {
    return { ...nothing({ incumbentId, askedAtMs: nowMs, rivals: [rival] }), ask: true };
  }
  const again = rivalry.rivals.find(({ instanceId }) => instanceId === rival.instanceId);
  if (again) {
    // In its old place: trying again is no way past those who came before.
    const rivals = rivalry.rivals.map((other) => (other === again ? rival : other));
    return { ...nothing({ ...rivalry, rivals }), superseded: [again.linkId] };
  }
  if (rivalry.rivals.length >= MAX_RIVALS) return { ...nothing(rivalry), refused: [rival.linkId] };
  return nothing({ ...rivalry, rivals: [...rivalry.rivals, rival] });
}

function keepRivals(rivalry: Rivalry, stays: (rival: Rival) => boolean): RivalDecision {
  const rivals = rivalry.rivals.filter(stays);
  return nothing(rivals.length > 0 ? { ...rivalry, rivals } : null);
}

function firstWins(rivalry: Rivalry): RivalDecision {
  const [winner, ...others] = rivalry.rivals;
  return {
    ...nothing(null),
    winner: winner?.linkId ?? null,
    refused: others.map(({ linkId }) => linkId),
  };
}

function nothing(rivalry: Rivalry | null): RivalDecision {
  return { rivalry, ask: false, winner: null, refused: [], superseded: [] };
}
