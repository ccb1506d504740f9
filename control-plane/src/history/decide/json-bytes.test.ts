import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonBytes } from './json-bytes.js';

function written(value: number): string {
  const out = new JsonBytes(0);
  out.number(value);
  return new TextDecoder().decode(out.bytes());
}

function rounded(value: number): number {
  return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : Math.round(value);
}

describe('a number', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [7, '7'],
    [10, '10'],
    [-12.5, '-12.5'],
    [0.000001, '0.000001'],
    [-0.0000004, '0'],
    [-0.0000005, '0'],
    [0.1 + 0.2, '0.3'],
    [1.050_000_4, '1.05'],
    [999_999.999_999_6, '1000000'],
    [999_999_999.999_999_9, '1000000000'],
    [1e9, '1000000000'],
    [8_589_934_592, '8589934592'],
    [-17_179_869_184.4, '-17179869184'],
    [1_764_432_000_000, '1764432000000'],
    [1e15, '1000000000000000'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [1e300, '1e+300'],
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, 'null'],
    [Number.NEGATIVE_INFINITY, 'null'],
  ])('%d is %s', (value, text) => {
    expect(written(value)).toBe(text);
  });

  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ noNaN: true, min: -2e9, max: 2e9 }),
    fc.double({ noNaN: true, min: -1, max: 1 }),
    fc.maxSafeInteger(),
    fc.integer({ min: -1e9, max: 1e9 }).map((value) => value / 10_000),
  );

  it('is the text that JSON has for it, rounded', () => {
    fc.assert(
      fc.property(numbers, (value) => {
        expect(written(value)).toBe(JSON.stringify(rounded(value)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('bytes of JSON', () => {
  it('grow as what is put down does', () => {
    const out = new JsonBytes(3);
    out.text('["ä",');
    for (let index = 0; index < 1_000; index += 1) {
      out.number(index / 8);
      out.piece(new TextEncoder().encode(','));
    }
    out.text('null]');
    const expected = ['ä', ...Array.from({ length: 1_000 }, (_, index) => index / 8), null];
    expect(JSON.parse(new TextDecoder().decode(out.bytes()))).toEqual(expected);
  });
});
