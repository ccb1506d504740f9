import type { OffsetAt } from './decide/hours.js';

/**
 * How far a time zone is ahead of UTC, from the tables that come with Node.
 *
 * @param timeZone such as Europe/Berlin; `null`: this machine's
 * @throws RangeError for what is no time zone; what is declared was checked
 */
export function zoneOffset(timeZone: string | null): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === null ? {} : { timeZone }),
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (atMs) => {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(atMs)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
    const shownMs = Date.UTC(year, month - 1, day, hour, minute, second);
    return shownMs - Math.floor(atMs / 1_000) * 1_000;
  };
}
