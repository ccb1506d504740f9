import { describe, expect, it } from 'vitest';
import { judgeTakeover } from './judge-takeover.js';

describe('what a takeover would mean for clients', () => {
  it('is told name by name: answered, known without anybody to answer, not known', () => {
    const carried = {
      'chat-fast': 'chat-fast',
      'local/chat': 'chat-fast',
      'chat-deep': 'chat-deep',
      gone: 'gone',
    };
    const roles = { 'chat-fast': 'asleep', 'chat-deep': 'away' };
    const listed = new Set(['chat-fast', 'local/chat', 'chat-deep']);
    expect(judgeTakeover(carried, roles, listed)).toEqual({
      names: [
        { name: 'chat-fast', state: 'ready' },
        { name: 'local/chat', state: 'ready' },
        { name: 'chat-deep', state: 'no_target' },
        { name: 'gone', state: 'unknown' },
      ],
      unknown: ['gone'],
    });
  });

  it('of a name that is none of a role (a deployment, a model of a provider) is that it is known', () => {
    expect(judgeTakeover({ 'openai/strong': 'openai/strong' }, {}, new Set(['openai/strong']))).toEqual({
      names: [{ name: 'openai/strong', state: 'ready' }],
      unknown: [],
    });
  });
});
