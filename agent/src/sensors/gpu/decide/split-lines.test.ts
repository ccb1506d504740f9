import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LINE_LENGTH, noLineRest, splitLines } from './split-lines.js';

function splitAll(pieces: readonly string[]): { lines: string[]; kept: number } {
  let rest = noLineRest;
  const lines: string[] = [];
  let kept = 0;
  for (const piece of pieces) {
    const step = splitLines(rest, piece);
    lines.push(...step.lines);
    rest = step.rest;
    kept = Math.max(kept, rest.text.length);
  }
  return { lines, kept };
}

describe('lines of a stream', () => {
  it('are whole however the stream is cut', () => {
    const text = 'one\r\ntwo, 2\n\n \nthree\nunfinished';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
        const places = [0, ...[...cuts].sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((to, at) => text.slice(places[at], to));
        expect(splitAll(pieces).lines).toEqual(['one', 'two, 2', 'three']);
      }),
    );
  });

  it('that are too long are reported once, cut, and the next line is whole again', () => {
    const { lines } = splitAll([`${'x'.repeat(MAX_LINE_LENGTH + 10)}\nnext\n`]);
    expect(lines.map((line) => line.length)).toEqual([MAX_LINE_LENGTH, 4]);
  });

  it('that never end are reported with every piece, and nothing piles up', () => {
    const { lines, kept } = splitAll(Array.from({ length: 50 }, () => 'y'.repeat(65_536)));
    expect(lines.length).toBeGreaterThanOrEqual(20);
    expect(kept).toBe(0);
  });

  it('of a flood that ends in a line feed leave the next line alone', () => {
    const { lines } = splitAll(['z'.repeat(9_000), 'z'.repeat(9_000), 'z\ngood\n']);
    expect(lines.at(-1)).toBe('good');
  });

  it('never throw and never keep more than a line, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 9_000 })), (pieces) => {
        expect(splitAll(pieces).kept).toBeLessThanOrEqual(MAX_LINE_LENGTH);
      }),
      { numRuns: 50 },
    );
  });
});
