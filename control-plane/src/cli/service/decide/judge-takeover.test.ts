import { describe, expect, it } from 'vitest';
import { judgeTakeover } from './judge-takeover.js';

describe('what a takeover would mean for clients', () => {
  it('is told name by name: answered, known without anybody to answer, not known', () => {
    const listed = new Map([
      ['chat-fast', 'asleep'],
      ['chat-deep', 'away'],
      ['openai/strong', 'cloud'],
      ['openai/weak', 'unavailable'],
      ['ours-alone', 'ready'],
    ]);
    const names = ['chat-fast', 'chat-deep', 'openai/strong', 'openai/weak', 'gone'];
    const cloudNames = new Set(['openai/strong', 'openai/weak']);
    expect(judgeTakeover(names, listed, cloudNames)).toEqual({
      names: [
        { name: 'chat-fast', state: 'ready' },
        { name: 'chat-deep', state: 'no_target' },
        { name: 'openai/strong', state: 'ready' },
        { name: 'openai/weak', state: 'no_key' },
        { name: 'gone', state: 'unknown' },
      ],
      unknown: ['gone'],
    });
  });
});
