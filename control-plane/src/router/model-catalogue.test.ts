import { describe, expect, it } from 'vitest';
import { modelCatalogue, taskOf } from './model-catalogue.js';
import { deploymentOf, providerOf, roleOf, stateOf } from './testing/router-fixtures.js';

const state = stateOf({
  deployments: [deploymentOf('listed'), deploymentOf('hidden', { listed: false, task: 'embeddings' })],
  providers: [providerOf('openai', { strong: {}, embed: { task: 'embeddings' } })],
  roles: [
    roleOf('chat-fast', ['listed', 'openai/strong']),
    roleOf('embed', ['hidden'], { task: 'embeddings' }),
  ],
  aliases: { 'local/chat': 'chat-fast', 'local/hidden': 'hidden', dangling: 'nothing' },
});
const catalogue = modelCatalogue(state);

describe('what clients may send as model', () => {
  it('is every role, alias, listed deployment and provider model, in that order', () => {
    expect(Array.from(catalogue.values(), ({ id, kind }) => `${kind} ${id}`)).toEqual([
      'role chat-fast',
      'role embed',
      'alias local/chat',
      'alias local/hidden',
      'deployment listed',
      'providerModel openai/strong',
      'providerModel openai/embed',
    ]);
  });

  it.each([
    { name: 'chat-fast', kind: 'role', task: 'chat' },
    { name: 'local/chat', kind: 'role', task: 'chat' },
    { name: 'listed', kind: 'deployment', task: 'chat' },
    { name: 'local/hidden', kind: 'deployment', task: 'embeddings' },
    { name: 'openai/strong', kind: 'providerModel', task: 'chat' },
    { name: 'openai/embed', kind: 'providerModel', task: 'embeddings' },
  ])('$name stands for a $kind for $task', ({ name, kind, task }) => {
    const resolved = catalogue.get(name)?.resolved;
    expect(resolved?.kind).toBe(kind);
    expect(resolved && taskOf(resolved)).toBe(task);
  });

  it.each(['hidden', 'dangling', 'nothing', 'openai', 'strong', 'Chat-Fast', '__proto__', 'constructor', ''])(
    'is not %j',
    (name) => {
      expect(catalogue.has(name)).toBe(false);
    },
  );

  it('gives a name that is taken twice to the role', () => {
    const twice = stateOf({
      deployments: [deploymentOf('chat')],
      roles: [roleOf('chat', ['chat'])],
      aliases: { chat: 'chat' },
    });
    const entries = [...modelCatalogue(twice).values()];
    expect(entries.map(({ kind }) => kind)).toEqual(['role']);
  });

  it('is nothing where nothing is declared', () => {
    expect(modelCatalogue(stateOf({})).size).toBe(0);
  });
});
