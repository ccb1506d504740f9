import { describe, expect, it } from 'vitest';
import type { ResolvedModel } from '../declared/declared-state.js';
import { deploymentOf, roleOf } from '../router/testing/router-fixtures.js';
import { peekRequest } from './decide/peek-request.js';
import { readAffinity } from './read-affinity.js';

const history = 'Once upon a time '.repeat(100);
const role: ResolvedModel = { kind: 'role', role: roleOf('chat', ['a', 'b']) };

function read(body: object, { headers = {}, resolved = role, key = 'key' } = {}) {
  const bytes = Buffer.from(JSON.stringify({ model: 'chat', ...body }));
  const peeked = peekRequest(bytes, 1e6);
  if (!peeked.ok) throw new Error(peeked.error.message);
  return readAffinity(bytes, peeked.request, headers, resolved, key);
}

describe('what tells of a request’s past', () => {
  it('is the name of its session: the header’s, else prompt_cache_key, else user', () => {
    const headers = { 'x-session-id': 's' };
    const all = read({ prompt_cache_key: 'p', user: 'u' }, { headers }).session;
    expect(all).toBe(read({}, { headers }).session);
    expect(read({ prompt_cache_key: 'p', user: 'u' }).session).toBe(read({ prompt_cache_key: 'p' }).session);
    expect(
      new Set([all, ...[{ prompt_cache_key: 'p' }, { user: 'u' }, {}].map((body) => read(body).session)])
        .size,
    ).toBe(4);
    expect(read({}).session).toBeNull();
    expect(read({ user: '', prompt_cache_key: 7 }).session).toBeNull();
    expect(read({ user: 'x'.repeat(2_000) }).session).toBeNull();
  });

  it('is another for another key', () => {
    expect(read({ user: 'u' }).session).not.toBe(read({ user: 'u' }, { key: 'other' }).session);
  });

  it('is what its prompt begins with, the tools first', () => {
    const first = { role: 'user', content: history };
    const one = read({ messages: [first] }).prefix;
    const more = read({ temperature: 1, messages: [first, { role: 'user', content: 'and then?' }] }).prefix;
    const shared = one?.length ?? 0;
    expect(shared).toBe(3);
    expect([...(more?.words ?? [])].slice(0, 2 * shared)).toEqual([...(one?.words ?? [])]);
    const tools = read({ messages: [first], tools: [{ type: 'function' }] }).prefix;
    expect(tools?.words[0]).not.toBe(one?.words[0]);
    expect(read({ messages: [] }).prefix).toBeNull();
  });

  it('is not looked for where there is but one target', () => {
    const single: ResolvedModel = { kind: 'role', role: roleOf('chat', ['a']) };
    const named: ResolvedModel = { kind: 'deployment', deployment: deploymentOf('a') };
    const backed: ResolvedModel = { kind: 'role', role: roleOf('chat', ['a', 'openai/strong']) };
    for (const resolved of [single, backed, named]) {
      const { session, prefix } = read({ user: 'u', messages: [history] }, { resolved });
      expect([session, prefix]).toEqual([null, null]);
    }
  });
});
