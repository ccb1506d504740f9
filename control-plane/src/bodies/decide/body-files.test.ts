import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BodyFile, bodyFileName, hourOfBodyFile, planBodyPruning } from './body-files.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.UTC(2026, 10, 24, 22, 30);
const GIB = 2 ** 30;

const file = (keyId: string, ageMs: number, sizeBytes = 1_000): BodyFile => ({
  keyId,
  hourMs: Math.floor((NOW - ageMs) / HOUR_MS) * HOUR_MS,
  sizeBytes,
});

describe('the name of a file of bodies', () => {
  test('is its hour, and gives it back', () => {
    expect(bodyFileName(NOW)).toBe('2026-11-24T22.ndjson');
    expect(hourOfBodyFile('2026-11-24T22.ndjson')).toBe(NOW - HOUR_MS / 2);
  });

  test.each([
    '',
    'x',
    '2026-11-24T22',
    '2026-13-24T22.ndjson',
    '../2026-11-24T22.ndjson',
    '2026-11-24T22.ndjson.tmp',
  ])('%j is none of ours', (name) => expect(hourOfBodyFile(name)).toBeNull());
});

describe('pruning of bodies', () => {
  test('takes what is older than its key wants, each key by itself', () => {
    const files = [file('a', 0), file('a', 2 * DAY_MS), file('b', 2 * DAY_MS), file('b', 8 * DAY_MS)];
    const keep = new Map([
      ['a', 1],
      ['b', 7],
    ]);
    expect(planBodyPruning(files, keep, GIB, NOW)).toEqual([files[1], files[3]]);
  });

  test('leaves an hour of which a part is still wanted', () => {
    const edge = file('a', DAY_MS);
    expect(planBodyPruning([edge], new Map([['a', 1]]), GIB, NOW)).toEqual([]);
    expect(planBodyPruning([edge], new Map([['a', 1]]), GIB, NOW + HOUR_MS)).toEqual([edge]);
  });

  test('takes all of a key that wants none any more, its present hour too', () => {
    const files = [file('gone', 0), file('a', 0)];
    expect(planBodyPruning(files, new Map([['a', 1]]), GIB, NOW)).toEqual([files[0]]);
  });

  test('takes the oldest of all while together they are too large', () => {
    const files = [file('a', 3 * HOUR_MS, 500), file('b', 2 * HOUR_MS, 500), file('a', HOUR_MS, 500)];
    const keep = new Map([
      ['a', 7],
      ['b', 7],
    ]);
    expect(planBodyPruning(files, keep, 1_000, NOW)).toEqual([files[0]]);
    expect(planBodyPruning(files, keep, 999, NOW)).toEqual([files[0], files[1]]);
  });

  test('always ends within the bound, and never takes a wanted file while there is room', () => {
    const given = fc.array(
      fc.record({ keyId: fc.constantFrom('a', 'b'), age: fc.nat(40 * 24), size: fc.nat(1_000) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(given, fc.nat(20_000), (records, maxBytes) => {
        const files = records.map(({ keyId, age, size }) => file(keyId, age * HOUR_MS, size));
        const over = new Set(planBodyPruning(files, new Map([['a', 30]]), maxBytes, NOW));
        const kept = files.filter((each) => !over.has(each));
        expect(kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(maxBytes);
        expect(kept.every(({ keyId }) => keyId === 'a')).toBe(true);
        if (files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > maxBytes) return;
        const wanted = files.filter(({ keyId, hourMs }) => keyId === 'a' && hourMs > NOW - 30 * DAY_MS);
        expect(wanted.every((each) => !over.has(each))).toBe(true);
      }),
    );
  });
});
