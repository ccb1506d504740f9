import { type DailyHours, WEEKDAYS } from '../../declared/declared-state.js';

/** How far a time zone's clock is ahead of UTC at an instant, milliseconds. */
export type OffsetAt = (atMs: number) => number;

/** From an instant to another, the latter not included. Milliseconds since 1970. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** More than any zone is from UTC. */
const FARTHEST_OFFSET_MS = 16 * HOUR_MS;
/** A stretch may have begun on the day before; what begins later than in a week is the same again. */
const DAYS_BACK = 2;
const DAYS_AHEAD = 9;

/**
 * The stretch that an instant is in, with all that overlap or touch it. Hours that never end are told for the week that
 * comes.
 *
 * @returns `null`: the instant is in none of the hours
 */
export function currentStretch(
  hours: readonly DailyHours[],
  atMs: number,
  offsetAt: OffsetAt,
): Stretch | null {
  const around = stretchesAround(hours, atMs, offsetAt);
  return around.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs) ?? null;
}

/** @returns the first stretch that begins later than the instant, `null`: there are no hours, or they never end */
export function nextStretch(hours: readonly DailyHours[], atMs: number, offsetAt: OffsetAt): Stretch | null {
  return stretchesAround(hours, atMs, offsetAt).find(({ fromMs }) => fromMs > atMs) ?? null;
}

export function isWithinHours(hours: readonly DailyHours[], atMs: number, offsetAt: OffsetAt): boolean {
  return currentStretch(hours, atMs, offsetAt) !== null;
}

/** In order of time, without overlap. */
function stretchesAround(hours: readonly DailyHours[], atMs: number, offsetAt: OffsetAt): readonly Stretch[] {
  const today = Math.floor((atMs + offsetAt(atMs)) / DAY_MS);
  const stretches: Stretch[] = [];
  for (let day = today - DAYS_BACK; day <= today + DAYS_AHEAD; day++) {
    for (const entry of hours) {
      if (!entry.days.includes(weekdayOf(day))) continue;
      const stretch = stretchOn(day, entry, offsetAt);
      if (stretch.toMs > stretch.fromMs) stretches.push(stretch);
    }
  }
  return joined(stretches.sort((left, right) => left.fromMs - right.fromMs));
}

function stretchOn(day: number, entry: DailyHours, offsetAt: OffsetAt): Stretch {
  const fromMs = timeOfDayMs(entry.from);
  const toMs = timeOfDayMs(entry.to);
  const lastDay = toMs > fromMs ? day : day + 1;
  return {
    fromMs: instantOf(day * DAY_MS + fromMs, 'first', offsetAt),
    toMs: instantOf(lastDay * DAY_MS + toMs, 'last', offsetAt),
  };
}

/**
 * When a zone's clock shows a time. Where it shows it twice (the clock is set back) `which` says when; so a stretch is then
 * the longer one, and does not come and go. Where it never shows it (the clock is set forward), it is when the clock is set.
 *
 * @param shownMs the time shown, as if it were UTC
 */
function instantOf(shownMs: number, which: 'first' | 'last', offsetAt: OffsetAt): number {
  const before = offsetAt(shownMs - FARTHEST_OFFSET_MS);
  const after = offsetAt(shownMs + FARTHEST_OFFSET_MS);
  const shown = [shownMs - before, shownMs - after].filter((atMs) => atMs + offsetAt(atMs) === shownMs);
  if (shown.length > 0) return which === 'first' ? Math.min(...shown) : Math.max(...shown);
  return changeBetween(shownMs - Math.max(before, after), shownMs - Math.min(before, after), offsetAt);
}

/** The instant at which the offset becomes another. */
function changeBetween(fromMs: number, toMs: number, offsetAt: OffsetAt): number {
  const before = offsetAt(fromMs);
  let low = fromMs;
  let high = toMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function joined(ordered: readonly Stretch[]): readonly Stretch[] {
  const result: Stretch[] = [];
  for (const stretch of ordered) {
    const last = result.at(-1);
    if (last === undefined || stretch.fromMs > last.toMs) result.push(stretch);
    else result[result.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, stretch.toMs) };
  }
  return result;
}

/** The first of January 1970, day 0, was a Thursday. */
function weekdayOf(day: number): DailyHours['days'][number] {
  return WEEKDAYS[(((day + 3) % 7) + 7) % 7] ?? 'mon';
}

/** @param text `HH:MM` */
function timeOfDayMs(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return hour * HOUR_MS + minute * 60_000;
}
