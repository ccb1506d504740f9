import { describe, expect, it } from 'vitest';
import { judgeTakeover } from './judge-takeover.js';

describe('what a takeover would mean for clients', () => {
  it('is told name by name: answered, known without anybody to answer, not known', () => {
    const listed = new Map([
      ['chat-fast', 'asleep'],
      ['chat-deep', 'away'],
      ['openai/strong', 'cloud'],
      ['ours-alone', 'ready'],
    ]);
    expect(judgeTakeover(['chat-fast', 'chat-deep', 'openai/strong', 'gone'], listed)).toEqual({
      names: [
        { name: 'chat-fast', state: 'ready' },
        { name: 'chat-deep', state: 'no_target' },
        { name: 'openai/strong', state: 'ready' },
        { name: 'gone', state: 'unknown' },
      ],
      unknown: ['gone'],
    });
  });
});
