import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DailyHours, WEEKDAYS } from '../../declared/declared-state.js';
import { zoneOffset } from '../zone-offset.js';
import { currentStretch, isWithinHours, nextStretch } from './hours.js';

const berlin = zoneOffset('Europe/Berlin');
const utc = zoneOffset('UTC');

function hours(from: string, to: string, days: DailyHours['days'] = WEEKDAYS): readonly DailyHours[] {
  return [{ from, to, days }];
}

const at = (text: string) => Date.parse(text);
const shown = (atMs: number | undefined) => (atMs === undefined ? null : new Date(atMs).toISOString());

function stretch(entries: readonly DailyHours[], text: string, offset = berlin): string {
  const found = currentStretch(entries, at(text), offset);
  return found === null ? 'outside' : `${shown(found.fromMs)} to ${shown(found.toMs)}`;
}

describe('hours of a day', () => {
  it.each([
    ['2026-01-14T08:59:59.999Z', false],
    ['2026-01-14T09:00:00.000Z', true],
    ['2026-01-14T16:59:59.999Z', true],
    ['2026-01-14T17:00:00.000Z', false],
  ])('from 09:00 to 17:00 at %s: %s', (text, expected) => {
    expect(isWithinHours(hours('09:00', '17:00'), at(text), utc)).toBe(expected);
  });

  it.each([
    ['2026-01-14T07:59:59Z', false],
    ['2026-01-14T08:00:00Z', true],
    ['2026-07-14T07:00:00Z', true],
    ['2026-07-14T06:59:59Z', false],
  ])('are those of the zone’s clock: 09:00 in Berlin at %s: %s', (text, expected) => {
    expect(isWithinHours(hours('09:00', '17:00'), at(text), berlin)).toBe(expected);
  });

  it('that end no later than they begin end on the next day', () => {
    expect(stretch(hours('22:30', '06:00'), '2026-01-15T02:00:00Z')).toBe(
      '2026-01-14T21:30:00.000Z to 2026-01-15T05:00:00.000Z',
    );
  });

  it('with the same time twice last a day', () => {
    expect(stretch(hours('08:00', '08:00', ['wed']), '2026-01-15T06:59:00Z')).toBe(
      '2026-01-14T07:00:00.000Z to 2026-01-15T07:00:00.000Z',
    );
    expect(isWithinHours(hours('08:00', '08:00', ['wed']), at('2026-01-15T07:00:00Z'), berlin)).toBe(false);
  });

  it.each([
    // 16 January 2026 is a Friday.
    ['2026-01-16T21:00:00Z', true],
    ['2026-01-17T04:59:00Z', true],
    ['2026-01-17T05:00:00Z', false],
    ['2026-01-17T21:00:00Z', false],
    ['2026-01-16T04:00:00Z', false],
  ])('belong to the day on which they begin: Friday’s night at %s: %s', (text, expected) => {
    expect(isWithinHours(hours('22:00', '06:00', ['fri']), at(text), berlin)).toBe(expected);
  });

  it('of a day are none where no day is named, and none where there are none', () => {
    expect(isWithinHours(hours('00:00', '23:59', []), at('2026-01-16T21:00:00Z'), utc)).toBe(false);
    expect(isWithinHours([], at('2026-01-16T21:00:00Z'), utc)).toBe(false);
    expect(nextStretch([], at('2026-01-16T21:00:00Z'), utc)).toBeNull();
  });

  it('that touch or overlap are one stretch', () => {
    const two = [...hours('08:00', '12:00'), ...hours('12:00', '14:00'), ...hours('13:00', '18:00')];
    expect(stretch(two, '2026-01-14T09:00:00Z', utc)).toBe(
      '2026-01-14T08:00:00.000Z to 2026-01-14T18:00:00.000Z',
    );
  });

  it('that never end last beyond the week that comes', () => {
    const found = currentStretch(hours('00:00', '00:00'), at('2026-01-14T09:00:00Z'), utc);
    expect(found?.toMs).toBeGreaterThan(at('2026-01-21T09:00:00Z'));
    expect(nextStretch(hours('00:00', '00:00'), at('2026-01-14T09:00:00Z'), utc)).toBeNull();
  });
});

describe('the next stretch', () => {
  it('begins later today, tomorrow, or in a week', () => {
    const next = (text: string, days?: DailyHours['days']) =>
      shown(nextStretch(hours('20:00', '22:00', days), at(text), utc)?.fromMs);
    expect(next('2026-01-14T09:00:00Z')).toBe('2026-01-14T20:00:00.000Z');
    expect(next('2026-01-14T20:00:00Z')).toBe('2026-01-15T20:00:00.000Z');
    // A Wednesday, after its hours.
    expect(next('2026-01-14T23:00:00Z', ['wed'])).toBe('2026-01-21T20:00:00.000Z');
  });
});

describe('on the day on which the clock is set forward (Berlin, 29 March 2026, 02:00 → 03:00)', () => {
  const changeAt = '2026-03-29T01:00:00.000Z';

  it('a night is an hour shorter', () => {
    expect(stretch(hours('22:00', '06:00'), '2026-03-29T00:00:00Z')).toBe(
      '2026-03-28T21:00:00.000Z to 2026-03-29T04:00:00.000Z',
    );
  });

  it('a time that the clock never shows is when the clock is set', () => {
    expect(stretch(hours('02:30', '05:00'), '2026-03-29T01:00:00Z')).toBe(
      `${changeAt} to 2026-03-29T03:00:00.000Z`,
    );
    expect(stretch(hours('23:00', '02:30'), '2026-03-29T00:30:00Z')).toBe(
      `2026-03-28T22:00:00.000Z to ${changeAt}`,
    );
  });

  it('hours that the clock never shows are none that day, and are there the next', () => {
    expect(stretch(hours('02:00', '02:59'), changeAt)).toBe('outside');
    expect(stretch(hours('02:00', '02:59'), '2026-03-30T00:30:00Z')).toBe(
      '2026-03-30T00:00:00.000Z to 2026-03-30T00:59:00.000Z',
    );
  });

  it('a day that begins before the change and ends after it has 23 hours', () => {
    const found = currentStretch(hours('00:00', '00:00', ['sun']), at('2026-03-29T10:00:00Z'), berlin);
    expect(found && (found.toMs - found.fromMs) / 3_600_000).toBe(23);
  });
});

describe('on the day on which the clock is set back (Berlin, 25 October 2026, 03:00 → 02:00)', () => {
  it('a night is an hour longer', () => {
    expect(stretch(hours('22:00', '06:00'), '2026-10-25T00:00:00Z')).toBe(
      '2026-10-24T20:00:00.000Z to 2026-10-25T05:00:00.000Z',
    );
  });

  it('hours end at the second time that the clock shows their end, and so do not come and go', () => {
    const night = hours('22:00', '02:30');
    expect(stretch(night, '2026-10-25T00:45:00Z')).toBe(
      '2026-10-24T20:00:00.000Z to 2026-10-25T01:30:00.000Z',
    );
    for (let minute = 0; minute < 90; minute++) {
      expect(isWithinHours(night, at('2026-10-25T00:00:00Z') + minute * 60_000, berlin)).toBe(true);
    }
    expect(isWithinHours(night, at('2026-10-25T01:30:00Z'), berlin)).toBe(false);
  });

  it('hours begin at the first time that the clock shows their beginning', () => {
    expect(stretch(hours('02:30', '06:00'), '2026-10-25T00:30:00Z')).toBe(
      '2026-10-25T00:30:00.000Z to 2026-10-25T05:00:00.000Z',
    );
    expect(stretch(hours('02:30', '06:00'), '2026-10-25T00:29:59Z')).toBe('outside');
  });

  it('hours within the hour that comes twice are one stretch', () => {
    expect(stretch(hours('02:10', '02:20'), '2026-10-25T00:50:00Z')).toBe(
      '2026-10-25T00:10:00.000Z to 2026-10-25T01:20:00.000Z',
    );
  });

  it('a day has 25 hours', () => {
    const found = currentStretch(hours('00:00', '00:00', ['sun']), at('2026-10-25T10:00:00Z'), berlin);
    expect(found && (found.toMs - found.fromMs) / 3_600_000).toBe(25);
  });
});

describe('in zones with ways of their own', () => {
  it('a change of half an hour is one (Lord Howe, 4 October 2026)', () => {
    const lordHowe = zoneOffset('Australia/Lord_Howe');
    expect(stretch(hours('02:15', '04:00'), '2026-10-03T16:00:00Z', lordHowe)).toBe(
      '2026-10-03T15:30:00.000Z to 2026-10-03T17:00:00.000Z',
    );
  });

  it('a clock that is set at midnight begins its day later (Santiago, 6 September 2026)', () => {
    const santiago = zoneOffset('America/Santiago');
    expect(stretch(hours('00:00', '06:00', ['sun']), '2026-09-06T05:00:00Z', santiago)).toBe(
      '2026-09-06T04:00:00.000Z to 2026-09-06T09:00:00.000Z',
    );
  });

  it.each(['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu', 'America/St_Johns'])(
    'far from UTC, as in %s, nine is nine',
    (zone) => {
      const offset = zoneOffset(zone);
      const morning = at('2026-05-20T09:00:00Z') - offset(at('2026-05-20T00:00:00Z'));
      expect(isWithinHours(hours('09:00', '10:00', ['wed']), morning, offset)).toBe(true);
      expect(isWithinHours(hours('09:00', '10:00', ['wed']), morning - 1, offset)).toBe(false);
      expect(isWithinHours(hours('09:00', '10:00', ['wed']), morning + 3_600_000, offset)).toBe(false);
    },
  );
});

describe('the offset of a zone', () => {
  it('is told for instants before 1970 and for parts of a second', () => {
    expect(berlin(at('1969-12-31T23:59:59.500Z'))).toBe(3_600_000);
    expect(berlin(at('2026-07-01T00:00:00.999Z'))).toBe(7_200_000);
  });

  it('of no zone is that of this machine', () => {
    const nowMs = at('2026-07-01T00:00:00Z');
    expect(zoneOffset(null)(nowMs)).toBe(0 - new Date(nowMs).getTimezoneOffset() * 60_000);
  });
});

const time = fc
  .integer({ min: 0, max: 1_439 })
  .map((minutes) => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`);
const pad = (number: number) => String(number).padStart(2, '0');
const entry = fc.record({ from: time, to: time, days: fc.subarray([...WEEKDAYS], { minLength: 1 }) });
const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Tokyo'] as const;
const offsets = new Map(zones.map((zone) => [zone, zoneOffset(zone)]));

describe('whatever the hours, the zone and the instant', () => {
  const instant = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z') });
  const zone = fc.constantFrom(...zones);

  it('a stretch holds its beginning and the instant asked about, not its end', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), zone, instant, (entries, name, atMs) => {
        const offset = offsets.get(name) ?? utc;
        const found = currentStretch(entries, atMs, offset);
        if (found === null || found.toMs - found.fromMs > 6 * 86_400_000) return;
        expect(found.fromMs).toBeLessThanOrEqual(atMs);
        expect(found.toMs).toBeGreaterThan(atMs);
        expect(isWithinHours(entries, found.fromMs, offset)).toBe(true);
        expect(isWithinHours(entries, found.toMs - 1, offset)).toBe(true);
        expect(isWithinHours(entries, found.toMs, offset)).toBe(false);
      }),
      { numRuns: 120 },
    );
  });

  it('outside of them the next stretch begins within eight days, and none holds until then', () => {
    fc.assert(
      fc.property(entry, zone, instant, (one, name, atMs) => {
        const offset = offsets.get(name) ?? utc;
        if (isWithinHours([one], atMs, offset)) return;
        const next = nextStretch([one], atMs, offset);
        if (next === null) return;
        expect(next.fromMs - atMs).toBeLessThanOrEqual(8 * 86_400_000 + 3_600_000);
        expect(isWithinHours([one], Math.floor((atMs + next.fromMs) / 2), offset)).toBe(false);
        expect(isWithinHours([one], next.fromMs, offset)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });
});
