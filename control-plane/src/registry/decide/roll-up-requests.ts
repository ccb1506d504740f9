import { REQUEST_OUTCOMES, type RequestRow } from '../request-types.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** What requests of one hour or day, role, target, host and key add up to. */
export interface UsageSum {
  readonly bucket: number;
  readonly target: string;
  readonly role: string;
  readonly host: string;
  readonly key: string;
  /** By the place of each outcome in `REQUEST_OUTCOMES`. */
  readonly outcomes: number[];
  retries: number;
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  totalMs: number;
  maxTotalMs: number;
  queueMs: number;
  ttftMs: number;
  ttftCount: number;
}

/** @param bucketMs an hour or a day: buckets are counted from 1970, UTC */
export function rollUpRequests(rows: readonly RequestRow[], bucketMs: number): UsageSum[] {
  const sums = new Map<string, UsageSum>();
  for (const row of rows) {
    const bucket = Math.floor(row.endedAtMs / bucketMs);
    const name = [bucket, row.target, row.role, row.host, row.key].join('\n');
    let sum = sums.get(name);
    if (sum === undefined) {
      sum = emptySum(row, bucket);
      sums.set(name, sum);
    }
    addRow(sum, row);
  }
  return [...sums.values()];
}

function emptySum({ target, role, host, key }: RequestRow, bucket: number): UsageSum {
  return {
    ...{ bucket, target, role, host, key },
    outcomes: REQUEST_OUTCOMES.map(() => 0),
    ...{ retries: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0 },
    ...{ totalMs: 0, maxTotalMs: 0, queueMs: 0, ttftMs: 0, ttftCount: 0 },
  };
}

function addRow(sum: UsageSum, row: RequestRow): void {
  const outcome = REQUEST_OUTCOMES.indexOf(row.outcome);
  sum.outcomes[outcome] = (sum.outcomes[outcome] ?? 0) + 1;
  sum.retries += Math.max(0, row.attempts - 1);
  sum.promptTokens += row.promptTokens ?? 0;
  sum.completionTokens += row.completionTokens ?? 0;
  sum.cachedTokens += row.cachedTokens ?? 0;
  sum.totalMs += wholeMs(row.totalMs);
  sum.maxTotalMs = Math.max(sum.maxTotalMs, wholeMs(row.totalMs));
  sum.queueMs += wholeMs(row.queueMs);
  if (row.ttftMs === null) return;
  sum.ttftMs += wholeMs(row.ttftMs);
  sum.ttftCount += 1;
}

/** As rows keep it, so that sums and rows agree. */
export function wholeMs(ms: number): number {
  return Math.max(0, Math.round(ms));
}
