import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_POINTS, planTelemetryQuery } from './plan-telemetry-query.js';
import { readDuration, readTime } from './read-time.js';
import { tiers } from './tiers.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = 1_750_000_000_000;

function plan(ageMs: number | null, stepMs: number | null = null, memorySinceMs = 0) {
  const fromMs = ageMs === null ? null : NOW_MS - ageMs;
  return planTelemetryQuery({ fromMs, toMs: null, stepMs }, NOW_MS, memorySinceMs);
}

function sourceOf(planned: ReturnType<typeof plan>) {
  if (!planned.ok) throw new Error(planned.detail);
  const name = planned.source === 'samples' ? 'samples' : planned.source.name;
  return [name, planned.grid.stepMs / 1_000];
}

describe('where a question for telemetry is answered from', () => {
  it.each<[string, number | null, number | null, unknown[]]>([
    ['nothing said', null, null, ['samples', 2]],
    ['10 minutes', 10 * MINUTE_MS, null, ['samples', 2]],
    ['10 minutes in minutes', 10 * MINUTE_MS, MINUTE_MS, ['1m', 60]],
    ['2 hours', 2 * HOUR_MS, null, ['1m', 60]],
    ['24 hours', DAY_MS, null, ['1m', 180]],
    ['24 hours in hours', DAY_MS, HOUR_MS, ['10m', 3_600]],
    ['3 days', 3 * DAY_MS, null, ['10m', 600]],
    ['14 days', 14 * DAY_MS, null, ['10m', 2_400]],
    ['90 days', 90 * DAY_MS, null, ['2h', 14_400]],
    ['400 days', 400 * DAY_MS, null, ['2h', 57_600]],
    ['two days in minutes', 2 * DAY_MS - 1, 2 * MINUTE_MS, ['10m', 600]],
  ])('%s', (_, ageMs, stepMs, expected) => {
    expect(sourceOf(plan(ageMs, stepMs))).toEqual(expected);
  });

  it('after a restart it is the registry, unless seconds are asked for', () => {
    const since = NOW_MS - MINUTE_MS;
    expect(sourceOf(plan(10 * MINUTE_MS, null, since))).toEqual(['1m', 60]);
    expect(sourceOf(plan(10 * MINUTE_MS, 1_000, since))).toEqual(['samples', 1]);
  });

  it('ten years are the 400 days that are kept, with that said', () => {
    const planned = plan(3_650 * DAY_MS);
    expect(planned).toMatchObject({ ok: true, fromMs: NOW_MS - 400 * DAY_MS });
    expect(planned.ok && planned.notes[0]).toContain('400 days');
  });

  it('too many points are refused with the step that would do', () => {
    expect(plan(400 * DAY_MS, HOUR_MS)).toEqual({
      ok: false,
      detail: 'that would be 9600 points; at most 2000 are answered',
      fix: 'ask for a step of at least 17280 s, for a shorter range, or leave the step out',
    });
    expect(plan(400 * DAY_MS, 17_280_000).ok).toBe(true);
  });

  it('whatever is asked for, the points cover it, are not too many, and no bucket lies across two', () => {
    const age = fc.integer({ min: 0, max: 500 * DAY_MS });
    const step = fc.option(fc.integer({ min: 1, max: 30 * DAY_MS }));
    fc.assert(
      fc.property(age, age, step, age, (fromAgeMs, toAgeMs, stepMs, sinceMs) => {
        const range = { fromMs: NOW_MS - fromAgeMs, toMs: NOW_MS - toAgeMs, stepMs };
        const planned = planTelemetryQuery(range, NOW_MS, NOW_MS - sinceMs);
        if (!planned.ok) return;
        const { grid, source, fromMs, toMs } = planned;
        expect(grid.startMs).toBeLessThanOrEqual(fromMs);
        expect(grid.startMs + grid.count * grid.stepMs).toBeGreaterThan(toMs);
        expect(grid.count).toBeLessThanOrEqual(MAX_POINTS + 2);
        expect(grid.startMs % grid.stepMs).toBe(0);
        if (source === 'samples') return;
        expect(grid.stepMs % source.stepMs).toBe(0);
        expect(fromMs).toBeGreaterThanOrEqual(NOW_MS - Math.min(source.keepMs, tiers[2].keepMs));
      }),
    );
  });
});

describe('times', () => {
  it.each([
    ['now', NOW_MS],
    ['15m', NOW_MS - 15 * MINUTE_MS],
    ['-2h', NOW_MS - 2 * HOUR_MS],
    ['1749999000000', 1_749_999_000_000],
    ['2025-06-15T00:00:00Z', Date.UTC(2025, 5, 15)],
    ['yesterday', null],
    ['', null],
    ['15 m', null],
  ])('%j is %j', (text, expected) => {
    expect(readTime(text, NOW_MS)).toBe(expected);
  });

  it.each([
    ['30', 30_000],
    ['0.5s', 500],
    ['10m', 600_000],
    ['1d', DAY_MS],
    ['0', null],
    ['-1s', null],
    ['1w', null],
  ])('%j lasts %j', (text, expected) => {
    expect(readDuration(text)).toBe(expected);
  });
});
