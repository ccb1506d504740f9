import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suggestModels } from './suggest-models.js';

const known = [
  'chat-fast',
  'chat-deep',
  'embeddings-general',
  'local/chat',
  'local/reasoner',
  'local/embed',
  'qwen2.5-7b-armitage',
  'llama31-8b-wintermute',
  'openai/strong',
  'openai/cheap',
];

describe('the names that are suggested', () => {
  it.each([
    { asked: 'chat-fats', first: 'chat-fast' },
    { asked: 'Chat-Fast', first: 'chat-fast' },
    { asked: 'chat_fast', first: 'chat-fast' },
    { asked: 'chatfast', first: 'chat-fast' },
    { asked: 'embedding-general', first: 'embeddings-general' },
    { asked: 'embeddings', first: 'embeddings-general' },
    { asked: 'qwen2.5-7b', first: 'qwen2.5-7b-armitage' },
    { asked: 'openai/chat-fast', first: 'chat-fast' },
    { asked: 'strong', first: 'openai/strong' },
    { asked: 'reasoner', first: 'local/reasoner' },
    { asked: 'openai/stong', first: 'openai/strong' },
    { asked: 'local/chta', first: 'local/chat' },
  ])('for $asked begin with $first', ({ asked, first }) => {
    expect(suggestModels(asked, known)[0]).toBe(first);
  });

  it.each(['gpt-4o', 'mistral-large-latest', 'zzzzzzzz', '', '/', '🦙', 'whisper-1'])(
    'for %j are none: nothing is near',
    (asked) => {
      expect(suggestModels(asked, known)).toEqual([]);
    },
  );

  it('are three at most, each known, none twice, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('chat', 'chat-', 'local/', 'c', 'openai/')),
        (asked) => {
          const suggested = suggestModels(asked, known);
          expect(suggested.length).toBeLessThanOrEqual(3);
          expect(new Set(suggested).size).toBe(suggested.length);
          for (const name of suggested) expect(known).toContain(name);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are found for a name of any length without being compared in full', () => {
    expect(suggestModels('x'.repeat(1_000_000), known)).toEqual([]);
  });

  it('are none where nothing is declared', () => {
    expect(suggestModels('chat-fast', [])).toEqual([]);
  });
});
