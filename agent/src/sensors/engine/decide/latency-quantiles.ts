/** Counts of values up to each bound, as Prometheus has them: each holds those before it. */
export interface Histogram {
  /** Rising; the last is infinite. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Gathers the buckets of several histograms; those of several engines under one name are added up. */
export class HistogramReader {
  readonly #counts = new Map<string, Map<number, number>>();

  /** @param bound the label `le`. What is no bucket is passed over */
  add(name: string, bound: string | null, count: number): void {
    const upTo = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number.parseFloat(bound ?? '');
    if (Number.isNaN(upTo) || !(count >= 0)) return;
    const counts = this.#counts.get(name) ?? new Map<number, number>();
    this.#counts.set(name, counts.set(upTo, (counts.get(upTo) ?? 0) + count));
  }

  /** The first of these names that has buckets, the infinite one among them. */
  read(names: readonly string[]): Histogram | null {
    for (const name of names) {
      const sorted = [...(this.#counts.get(name) ?? [])].sort(([a], [b]) => a - b);
      if (sorted.at(-1)?.[0] !== Number.POSITIVE_INFINITY) continue;
      return { bounds: sorted.map(([bound]) => bound), counts: sorted.map(([, count]) => count) };
    }
    return null;
  }
}

export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

const NONE: Quantiles = { p50: null, p95: null };

/**
 * The quantiles of what was counted between two readings, estimated within a bucket as Prometheus'
 * `histogram_quantile` does. None of the first reading: what it holds is as old as the engine.
 */
export function quantilesBetween(before: Histogram | null, after: Histogram | null): Quantiles {
  if (!before || !after || before.bounds.length !== after.bounds.length) return NONE;
  if (before.bounds.some((bound, index) => bound !== after.bounds[index])) return NONE;
  const grown = after.counts.map((count, index) => count - (before.counts[index] ?? 0));
  // The engine started anew: what it counts now, it counted since then.
  const counts = grown.some((count) => count < 0) ? after.counts : grown;
  return { p50: quantile(0.5, after.bounds, counts), p95: quantile(0.95, after.bounds, counts) };
}

function quantile(share: number, bounds: readonly number[], counts: readonly number[]): number | null {
  const total = counts.at(-1) ?? 0;
  if (!(total > 0)) return null;
  const rank = share * total;
  const index = counts.findIndex((count) => count >= rank);
  const upper = bounds[index] ?? Number.NaN;
  const lower = index > 0 ? (bounds[index - 1] ?? 0) : 0;
  // Above the highest bound nothing is known but that it was above.
  if (!Number.isFinite(upper)) return index > 0 ? lower : null;
  const below = index > 0 ? (counts[index - 1] ?? 0) : 0;
  const within = (counts[index] ?? 0) - below;
  const value = within > 0 ? lower + ((upper - lower) * (rank - below)) / within : upper;
  return Math.round(value * 1e6) / 1e6;
}
