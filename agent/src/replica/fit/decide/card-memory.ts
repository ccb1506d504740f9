/** A card as it is now. `null` is unknown. */
export interface FitCard {
  readonly uuid: string;
  readonly index: number;
  readonly totalBytes: number | null;
  /** By all programs. */
  readonly usedBytes: number | null;
  /** Of `usedBytes`, what the replica's own container holds, and gives back before it is made anew. */
  readonly ownBytes: number;
  /** Learned footprints of our other replicas on it. */
  readonly otherReplicasBytes: number;
  /** One of our replicas loads on it right now: what it takes changes by the second. */
  readonly loading: boolean;
  /** Windows' driver model, which tells of no program what it uses. */
  readonly wddm: boolean;
  /** What this model took of this card when it last got ready here with the same settings. */
  readonly footprintBytes: number | null;
}

/** @returns `null` where it cannot be known now */
export function freeBytes(card: FitCard): number | null {
  if (card.totalBytes === null || card.usedBytes === null) return null;
  if (card.wddm && card.loading) return null;
  return Math.max(0, card.totalBytes - Math.max(0, card.usedBytes - card.ownBytes));
}

/**
 * What programs that are not ours use of a card. Under WDDM it can only be what is left of the whole after the
 * footprints that were learned of our own; while one of them loads it is unknown.
 */
export function foreignBytes(card: FitCard): number | null {
  if (card.usedBytes === null || (card.wddm && card.loading)) return null;
  return Math.max(0, card.usedBytes - card.ownBytes - card.otherReplicasBytes);
}
