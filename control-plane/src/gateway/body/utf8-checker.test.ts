import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Checker } from './utf8-checker.js';

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])].sort(
    (one, other) => one - other,
  );
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point));
}

describe('Utf8Checker', () => {
  it('tells of any bytes what a look at the whole tells, wherever they are cut', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        ...[[0xe2, 0x82], [0xf0, 0x9f, 0x8c], [0xc3], [0xed, 0xa0, 0x80], [0xf8]].map(Buffer.from),
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (pieces, cuts) => {
        const bytes = Buffer.concat(pieces);
        const checker = new Utf8Checker();
        const isSo = cut(bytes, cuts).every((chunk) => checker.push(chunk)) && checker.end();
        expect(isSo).toBe(isUtf8(bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});
