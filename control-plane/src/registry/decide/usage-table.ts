import type { UsageRow } from '../request-types.js';

/** The order of the numbers of a row; `name` is told apart. */
export const USAGE_NUMBERS = [
  ...(['bucketStartMs', 'nameId', 'requests', 'ok', 'clientErrors', 'refused', 'failed'] as const),
  ...(['interrupted', 'clientGone', 'retries', 'promptTokens', 'completionTokens'] as const),
  ...(['cachedTokens', 'totalMs', 'maxTotalMs', 'queueMs', 'ttftMs', 'ttftCount'] as const),
] as const satisfies readonly Exclude<keyof UsageRow, 'name'>[];

/** Thousands of sums as they travel between threads: one block of numbers costs next to nothing to hand over. */
export interface UsageTable {
  readonly names: ReadonlyMap<number, string>;
  readonly numbers: Float64Array;
}

export function unpackUsage({ names, numbers }: UsageTable): UsageRow[] {
  const width = USAGE_NUMBERS.length;
  return Array.from({ length: numbers.length / width }, (_, index) => {
    const row = Object.fromEntries(
      USAGE_NUMBERS.map((name, column) => [name, numbers[index * width + column] ?? 0]),
    ) as Record<(typeof USAGE_NUMBERS)[number], number>;
    return { ...row, name: names.get(row.nameId) ?? '' };
  });
}
