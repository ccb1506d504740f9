import { nameSchema } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeHostName } from './make-host-name.js';

describe('makeHostName', () => {
  test.each([
    ['motoko', 'motoko'],
    ['MOTOKO.local', 'motoko'],
    ['DESKTOP-4F2K', 'desktop-4f2k'],
    ["Anna's PC", 'anna-s-pc'],
    ['__build__', 'build__'],
    ['-edge-', 'edge'],
    ['', 'host'],
    ['日本', 'host'],
    ['.hidden', 'host'],
  ])('%j becomes %j', (machine, expected) => {
    expect(makeHostName(machine)).toBe(expected);
  });

  test('any machine name becomes a valid one', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (machine) => {
        expect(nameSchema.safeParse(makeHostName(machine)).success).toBe(true);
      }),
    );
  });
});
