import type { Random } from '@ai-fabric/shared';

export interface TieSettings {
  /** Loads up to this share above the best are as good as the best. */
  readonly ratio: number;
  /** So are loads up to this much above it: a share of nearly nothing would let noise decide among idle cards. */
  readonly floor: number;
}

export interface Pick {
  /** Into the loads that were handed in. */
  readonly index: number;
  /** How many were as good as the best, the chosen one included. */
  readonly tied: number;
}

/**
 * Chooses at random among the least loaded.
 *
 * Ties are broken by chance, on purpose. The order of declaration would send every request of a quiet fleet to
 * the first card; a rotating counter falls into step with clients that come in turns; and both let a difference
 * far below what lagging readings can tell decide each time in the same way (LiteLLM's least-busy sent 93.7 % of
 * its traffic to one upstream of four: LiteLLM #40401). Our own in-flight count moves with each choice, so
 * chance here cannot pile up.
 *
 * @param loads at least one, none of them NaN
 */
export function pickLeastLoaded(loads: readonly number[], random: Random, settings: TieSettings): Pick {
  let best = Number.POSITIVE_INFINITY;
  for (const load of loads) if (load < best) best = load;
  const limit = best + Math.max(best * settings.ratio, settings.floor);
  let tied = 0;
  for (const load of loads) if (load <= limit) tied += 1;
  let left = tied > 1 ? Math.floor(random() * tied) : 0;
  for (let index = 0; index < loads.length; index += 1) {
    if ((loads[index] as number) > limit) continue;
    if (left === 0) return { index, tied };
    left -= 1;
  }
  throw new RangeError('pickLeastLoaded needs at least one load that is a number');
}
