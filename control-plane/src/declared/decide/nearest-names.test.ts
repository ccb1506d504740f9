import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNames } from './nearest-names.js';

describe('the nearest names', () => {
  const known = ['chat-fast', 'chat-deep', 'embeddings-general', 'qwen2.5-7b-armitage', 'openai/strong'];

  it.each([
    ['chat-fats', 'chat-fast'],
    ['chat_fast', 'chat-fast'],
    ['ChatFast', 'chat-fast'],
    ['qwen2.5', 'qwen2.5-7b-armitage'],
    ['openai-strong', 'openai/strong'],
    ['embedding-general', 'embeddings-general'],
  ])('of %s begin with %s', (written, meant) => {
    expect(nearestNames(written, known)[0]).toBe(meant);
  });

  it('of something else altogether are none', () => {
    expect(nearestNames('zebra', known)).toEqual([]);
    expect(nearestNames('', known)).toEqual([]);
    expect(nearestNames('x', ['a', 'b'])).toEqual([]);
  });

  it('are no more than asked for, and always known ones', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.string(), { maxLength: 20 }),
        fc.nat({ max: 4 }),
        (name, names, limit) => {
          const near = nearestNames(name, names, limit);
          return near.length <= limit && near.every((each) => names.includes(each));
        },
      ),
    );
  });
});
