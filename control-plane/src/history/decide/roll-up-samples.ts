import type { TelemetrySample } from '@ai-fabric/shared';
import type { CounterRates } from './counter-rates.js';
import { OpenStretch } from './open-stretch.js';
import { type FieldSelection, type PointGrid, PointTable } from './point-table.js';

/** Puts samples into the points of a chart, in the way in which the registry's buckets were made from them. */
export function rollUpSamples(
  samples: readonly TelemetrySample[],
  grid: PointGrid,
  fields: FieldSelection,
  isBackfilled: (atMs: number) => boolean,
): PointTable {
  const rates = new Map<string, CounterRates>();
  const stretches = new Map<number, OpenStretch>();
  for (const sample of samples) {
    const point = Math.floor((sample.atMs - grid.startMs) / grid.stepMs);
    let stretch = stretches.get(point);
    if (!stretch) {
      stretch = new OpenStretch(grid.startMs + point * grid.stepMs);
      stretches.set(point, stretch);
    }
    stretch.add(sample, isBackfilled(sample.atMs), rates);
  }
  const table = new PointTable(grid, fields);
  for (const { startMs, series } of stretches.values()) {
    for (const { kind, name, bucket } of series) table.add(kind, name, startMs, bucket);
  }
  return table;
}
