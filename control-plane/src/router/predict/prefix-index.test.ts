import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PrefixHashes, PrefixIndex } from './prefix-index.js';

const settings = { slots: 1024, keptShare: 0.8, unknownCapacityTokens: 1_000 };
const CAPACITY = 10_000;
const capacityOf = (): number => CAPACITY;

/** A chain over letters: each boundary stands for all letters before it. */
function prefixOf(text: string): PrefixHashes {
  const words = new Uint32Array(2 * text.length);
  const atBytes = new Uint32Array(text.length);
  let hash = 17;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e3779b1) >>> 0;
    words[2 * at] = hash;
    words[2 * at + 1] = Math.imul(hash, 0x85ebca6b) >>> 0;
    atBytes[at] = 512 * (at + 1);
  }
  return { length: text.length, words, atBytes };
}

function find(
  index: PrefixIndex,
  text: string,
  replicas = 4,
  of = capacityOf,
): { holder: number; blocks: number[] } {
  const credits = new Float64Array(replicas);
  const holder = index.find(prefixOf(text), of, credits);
  return { holder, blocks: Array.from(credits, (bytes) => bytes / 512) };
}

describe('what was sent where', () => {
  it('is found as deep as it is the same, for each replica', () => {
    const index = new PrefixIndex(settings);
    index.add(0, prefixOf('abcd'), 100);
    index.add(2, prefixOf('abxy'), 100);
    expect(find(index, 'abcdef')).toEqual({ holder: 0, blocks: [4, 0, 2, 0] });
    expect(find(index, 'abx')).toEqual({ holder: 2, blocks: [2, 0, 3, 0] });
    expect(find(index, 'bcd')).toEqual({ holder: -1, blocks: [0, 0, 0, 0] });
  });

  it('counts until most of its cache has gone to others', () => {
    const index = new PrefixIndex(settings);
    index.add(1, prefixOf('ab'), 100);
    index.addUnknown(1, 8_000);
    expect(find(index, 'ab').blocks).toEqual([0, 2, 0, 0]);
    index.addUnknown(1, 1);
    expect(find(index, 'ab')).toEqual({ holder: -1, blocks: [0, 0, 0, 0] });
    index.add(1, prefixOf('ab'), 100);
    expect(find(index, 'ab').blocks).toEqual([0, 2, 0, 0]);
    expect(find(index, 'ab', 4, () => 0).blocks).toEqual([0, 2, 0, 0]);
    index.addUnknown(1, 801);
    expect(find(index, 'ab', 4, () => 0).holder).toBe(-1);
  });

  it('is gone with a restart of its engine', () => {
    const index = new PrefixIndex(settings);
    index.add(1, prefixOf('ab'), 100);
    index.add(3, prefixOf('ab'), 100);
    index.forget(1);
    expect(find(index, 'ab')).toEqual({ holder: 3, blocks: [0, 0, 0, 2] });
  });

  it('is remembered of the latest eight replicas', () => {
    const index = new PrefixIndex(settings);
    for (let replica = 0; replica < 10; replica++) index.add(replica, prefixOf('a'), 1);
    index.add(3, prefixOf('a'), 1);
    const { holder, blocks } = find(index, 'a', 10);
    expect(holder).toBe(3);
    expect(blocks).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('is what a plain map would say, as long as there is room', () => {
    const letter = fc.constantFrom('a', 'b', 'c');
    const text = fc.string({ unit: letter, minLength: 1, maxLength: 5 });
    const sent = fc.record({ replica: fc.nat(3), text });
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 40 }), text, (all, asked) => {
        const index = new PrefixIndex(settings);
        for (const { replica, text: of } of all) index.add(replica, prefixOf(of), 10);
        const expected = [0, 1, 2, 3].map((replica) => {
          const own = all.filter((each) => each.replica === replica).map((each) => each.text);
          let depth = 0;
          while (depth < asked.length && own.some((of) => of.startsWith(asked.slice(0, depth + 1)))) depth++;
          return depth;
        });
        expect(find(index, asked).blocks).toEqual(expected);
      }),
    );
  });

  it('is bounded: what was unused for longest makes way', () => {
    const index = new PrefixIndex({ ...settings, slots: 64 });
    for (let round = 0; round < 500; round++) {
      index.add(0, prefixOf('zz'), 0);
      index.add(0, prefixOf(String.fromCharCode(0x4e00 + round)), 0);
    }
    expect(find(index, 'zz').blocks[0]).toBe(2);
    let known = 0;
    for (let round = 0; round < 500; round++)
      known += find(index, String.fromCharCode(0x4e00 + round)).blocks[0] as number;
    expect(known).toBeGreaterThan(16);
    expect(known).toBeLessThanOrEqual(64);
  });
});
