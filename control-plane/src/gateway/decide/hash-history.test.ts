import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashHistory, hashNames } from './hash-history.js';

const KB = 1024;
const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed * (at >> 3)) & 0xff);
const whole = (bytes: Uint8Array) => hashHistory(bytes, [{ start: 0, end: bytes.length }]);

describe('the hashes of a history', () => {
  it('stand at each half kilobyte, and from 64 KB on at each doubling', () => {
    expect(whole(bytesOf(511)).length).toBe(0);
    expect([...whole(bytesOf(1_600)).atBytes]).toEqual([512, 1024, 1536]);
    const { atBytes, length } = whole(bytesOf(2_000 * KB));
    expect(length).toBe(132);
    expect([...atBytes].slice(-6)).toEqual(
      [63.5, 64, 128, 256, 512, 1024].map((kilobytes) => kilobytes * KB),
    );
  });

  it('are the same as far as two histories are, and differ from there on', () => {
    const change = fc.record({
      length: fc.integer({ min: 1, max: 6_000 }),
      at: fc.nat(6_000),
      to: fc.nat(255),
    });
    fc.assert(
      fc.property(change, ({ length, at, to }) => {
        const one = bytesOf(length);
        const other = Uint8Array.from(one);
        const place = at % length;
        other[place] = to;
        const [a, b] = [whole(one), whole(other)];
        for (let boundary = 0; boundary < a.length; boundary++) {
          const isSame =
            a.words[2 * boundary] === b.words[2 * boundary] &&
            a.words[2 * boundary + 1] === b.words[2 * boundary + 1];
          expect(isSame).toBe(one[place] === to || (a.atBytes[boundary] as number) <= place);
        }
      }),
    );
  });

  it('go on as a history grows', () => {
    const [short, long] = [whole(bytesOf(3_000)), whole(bytesOf(9_000))];
    expect([...long.words.slice(0, short.words.length)]).toEqual([...short.words]);
  });

  it('do not depend on where in the body it stands, nor on how it is cut into parts of whole words', () => {
    const bytes = bytesOf(4_000);
    const shifted = new Uint8Array(4_003);
    shifted.set(bytes, 3);
    const moved = hashHistory(shifted, [{ start: 3, end: 4_003 }]);
    expect(moved).toEqual(whole(bytes));
    const parts = [
      { start: 0, end: 100 },
      { start: 100, end: 4_000 },
    ];
    expect(hashHistory(bytes, parts)).toEqual(whole(bytes));
  });

  it('differ for texts that differ in a bit', () => {
    const seen = new Set<string>();
    for (let bit = 0; bit < 8 * 512; bit++) {
      const bytes = bytesOf(512);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      seen.add([...whole(bytes).words].join());
    }
    expect(seen.size).toBe(8 * 512);
  });
});

it('names within others have a number of their own', () => {
  const numbers = [
    hashNames('chat', 'key', 'session'),
    hashNames('chat', 'keys', 'ession'),
    hashNames('chat', 'key2', 'session'),
    hashNames('code', 'key', 'session'),
    hashNames('chat', 'key', ''),
  ];
  expect(new Set(numbers).size).toBe(5);
  for (const number of numbers) expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
  expect(hashNames('chat', 'key', 'session')).toBe(numbers[0]);
});
