import type { Random } from '@ai-fabric/shared';

export interface PickSettings {
  /** Costs up to this share above the best are as good as the best. */
  readonly ratio: number;
  /** So are costs up to this many seconds above it: a share of nearly nothing would let noise decide among idle cards. */
  readonly floorSeconds: number;
  /** One that is favoured may cost more than the best: this share and so many seconds, and no more than the last. */
  readonly favour: { readonly ratio: number; readonly floorSeconds: number; readonly mostSeconds: number };
}

export interface Pick {
  /** Into the costs that were handed in. */
  readonly index: number;
  /** How many were as good as the best, the chosen one included. */
  readonly tied: number;
  readonly isFavoured: boolean;
}

/**
 * Chooses at random among the cheapest.
 *
 * Ties are broken by chance, on purpose. The order of declaration would send every request of a quiet fleet to
 * the first card; a rotating counter falls into step with clients that come in turns; and both let a difference
 * far below what a prediction can tell decide each time in the same way (LiteLLM's least-busy sent 93.7 % of
 * its traffic to one upstream of four: LiteLLM #40401). Our own backlog moves with each choice, so chance here
 * cannot pile up.
 *
 * @param costs seconds; what is no finite number is chosen only where nothing else is
 * @param count how many of them count, at least one
 * @param favoured into the costs: what wins where it is about as good as the best; -1: none
 */
export function pickCheapest(
  costs: Float64Array,
  count: number,
  favoured: number,
  random: Random,
  settings: PickSettings,
): Pick {
  if (count < 1 || count > costs.length) throw new RangeError('pickCheapest needs at least one cost');
  let best = Number.POSITIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    const cost = costs[index] as number;
    if (cost < best) best = cost;
  }
  const limit = best + Math.max(best * settings.ratio, settings.floorSeconds);
  const isHopeless = !Number.isFinite(best);
  if (favoured >= 0 && (costs[favoured] as number) <= best + favourOf(best, settings)) {
    return { index: favoured, tied: 1, isFavoured: true };
  }
  let tied = 0;
  for (let index = 0; index < count; index++) if (isHopeless || (costs[index] as number) <= limit) tied++;
  let left = tied > 1 ? Math.floor(random() * tied) : 0;
  let index = 0;
  for (; index < count - 1; index++) {
    if (!isHopeless && !((costs[index] as number) <= limit)) continue;
    if (left === 0) break;
    left--;
  }
  return { index, tied, isFavoured: false };
}

/** Seconds that one that is favoured may cost more: bounded, so that no session holds on to a card that is busy. */
function favourOf(best: number, { favour }: PickSettings): number {
  return Math.min(favour.mostSeconds, favour.ratio * best + favour.floorSeconds);
}
