import { type RequestRow, SUMMED_OUTCOMES, USAGE_DIMENSIONS, type UsageDimension } from '../request-types.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** What the requests of one hour or day add up to for one role, target, host or key. */
export interface UsageSum {
  readonly bucket: number;
  readonly dimension: UsageDimension;
  readonly name: string;
  /** By the place of each outcome in `SUMMED_OUTCOMES`. */
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

/** Sums as they are found for the first time. */
class Sums {
  readonly all: UsageSum[] = [];
  readonly #byBucket = new Map<number, { readonly [dimension in UsageDimension]: Map<string, UsageSum> }>();
  /** Of each dimension, what was asked for last: the next one is often the same. */
  readonly #latest: { [dimension in UsageDimension]: UsageSum | null } = {
    ...{ role: null, target: null, host: null, key: null },
  };

  of(bucket: number, dimension: UsageDimension, name: string): UsageSum {
    const latest = this.#latest[dimension];
    if (latest !== null && latest.bucket === bucket && latest.name === name) return latest;
    const sum = this.#find(bucket, dimension, name);
    this.#latest[dimension] = sum;
    return sum;
  }

  #find(bucket: number, dimension: UsageDimension, name: string): UsageSum {
    let dimensions = this.#byBucket.get(bucket);
    if (dimensions === undefined) {
      dimensions = { role: new Map(), target: new Map(), host: new Map(), key: new Map() };
      this.#byBucket.set(bucket, dimensions);
    }
    let sum = dimensions[dimension].get(name);
    if (sum === undefined) {
      sum = emptySum(bucket, dimension, name);
      dimensions[dimension].set(name, sum);
      this.all.push(sum);
    }
    return sum;
  }
}

/** Hours are counted from 1970, UTC. */
export function rollUpHours(rows: readonly RequestRow[]): UsageSum[] {
  const sums = new Sums();
  for (const row of rows) {
    const hour = Math.floor(row.endedAtMs / HOUR_MS);
    for (const dimension of USAGE_DIMENSIONS) addRow(sums.of(hour, dimension, row[dimension]), row);
  }
  return sums.all;
}

/** The days of those hours, counted from 1970, UTC. */
export function rollUpDays(hours: readonly UsageSum[]): UsageSum[] {
  const sums = new Sums();
  for (const hour of hours) {
    const day = Math.floor((hour.bucket * HOUR_MS) / DAY_MS);
    addSum(sums.of(day, hour.dimension, hour.name), hour);
  }
  return sums.all;
}

function addSum(to: UsageSum, sum: UsageSum): void {
  sum.outcomes.forEach((count, outcome) => {
    to.outcomes[outcome] = (to.outcomes[outcome] ?? 0) + count;
  });
  to.retries += sum.retries;
  to.promptTokens += sum.promptTokens;
  to.completionTokens += sum.completionTokens;
  to.cachedTokens += sum.cachedTokens;
  to.totalMs += sum.totalMs;
  to.maxTotalMs = Math.max(to.maxTotalMs, sum.maxTotalMs);
  to.queueMs += sum.queueMs;
  to.ttftMs += sum.ttftMs;
  to.ttftCount += sum.ttftCount;
}

function emptySum(bucket: number, dimension: UsageDimension, name: string): UsageSum {
  return {
    bucket,
    dimension,
    name,
    outcomes: SUMMED_OUTCOMES.map(() => 0),
    retries: 0,
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    totalMs: 0,
    maxTotalMs: 0,
    queueMs: 0,
    ttftMs: 0,
    ttftCount: 0,
  };
}

function addRow(sum: UsageSum, row: RequestRow): void {
  const outcome = SUMMED_OUTCOMES.indexOf(row.outcome);
  // Its hour has a sum all the same: by those it is known where rows lie.
  if (outcome < 0) return;
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

/** Sequences of the first and the last row that ended in an hour. */
export interface HourSpan {
  readonly hour: number;
  readonly firstId: number;
  lastId: number;
}

/** @param ids of the rows, in their order, rising */
export function spanHours(rows: readonly RequestRow[], ids: readonly number[]): HourSpan[] {
  const spans = new Map<number, HourSpan>();
  rows.forEach(({ endedAtMs }, index) => {
    const hour = Math.floor(endedAtMs / HOUR_MS);
    const id = ids[index] ?? 0;
    const span = spans.get(hour);
    if (span === undefined) spans.set(hour, { hour, firstId: id, lastId: id });
    else span.lastId = id;
  });
  return [...spans.values()];
}
