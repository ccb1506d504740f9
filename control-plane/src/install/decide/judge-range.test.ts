import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRange } from './judge-range.js';

const sha256 = 'ab'.repeat(32);
const judge = (range: string | undefined, ifRange?: string, bytes = 1_000) =>
  judgeRange(range, ifRange, { bytes, sha256 });

describe('the part of a file that is asked for', () => {
  it.each([
    ['bytes=0-', 0, 999],
    ['bytes=250-', 250, 999],
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=990-5000', 990, 999],
    ['bytes=-1', 999, 999],
    ['bytes=-5000', 0, 999],
    ['Bytes=999-', 999, 999],
  ])('%s is from %i to %i', (range, from, to) => {
    expect(judge(range)).toEqual({ from, to });
  });

  it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0', `bytes=${'9'.repeat(15)}-`])(
    '%s is none',
    (range) => {
      expect(judge(range)).toBe('unsatisfiable');
    },
  );

  it.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=0-1,5-9',
    'items=0-5',
    'bytes=+5-',
    'bytes=0x5-',
  ])('%s is the whole of it', (range) => {
    expect(judge(range)).toBeNull();
  });

  it('holds only for the file that the client has the beginning of', () => {
    expect(judge('bytes=5-', `"${sha256}"`)).toEqual({ from: 5, to: 999 });
    for (const other of [
      `W/"${sha256}"`,
      `"${'cd'.repeat(32)}"`,
      sha256,
      '*',
      'Wed, 21 Oct 2026 07:28:00 GMT',
    ]) {
      expect(judge('bytes=5-', other)).toBeNull();
    }
  });

  it('lies within the file, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(5_000), fc.nat(5_000), fc.nat(3_000), (text, one, other, bytes) => {
        for (const range of [text, `bytes=${one}-${other}`, `bytes=${one}-`, `bytes=-${one}`]) {
          const judged = judge(range, undefined, bytes);
          if (judged === null || judged === 'unsatisfiable') continue;
          expect(judged.from).toBeGreaterThanOrEqual(0);
          expect(judged.to).toBeGreaterThanOrEqual(judged.from);
          expect(judged.to).toBeLessThan(bytes);
        }
      }),
    );
  });
});
