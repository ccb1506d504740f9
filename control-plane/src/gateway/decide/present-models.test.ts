import { describe, expect, it } from 'vitest';
import { presentModels } from './present-models.js';

describe('presentModels', () => {
  it("gives OpenAI's list with the fabric's state beside it", () => {
    const list = JSON.parse(
      presentModels(
        [
          {
            id: 'chat-fast',
            kind: 'role',
            task: 'chat',
            state: 'ready',
            servedBy: 'motoko-chat',
            contextTokens: 8192,
            readyInSeconds: null,
          },
          {
            id: 'openai/strong',
            kind: 'providerModel',
            task: 'chat',
            state: 'cloud',
            servedBy: null,
            contextTokens: null,
            readyInSeconds: null,
          },
        ],
        1_700_000_000,
      ),
    );
    expect(list).toEqual({
      object: 'list',
      data: [
        {
          id: 'chat-fast',
          object: 'model',
          created: 1_700_000_000,
          owned_by: 'ai-fabric',
          max_model_len: 8192,
          fabric: { kind: 'role', task: 'chat', state: 'ready', servedBy: 'motoko-chat' },
        },
        {
          id: 'openai/strong',
          object: 'model',
          created: 1_700_000_000,
          owned_by: 'ai-fabric',
          fabric: { kind: 'providerModel', task: 'chat', state: 'cloud', servedBy: null },
        },
      ],
    });
  });
});
