import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DeclaredState } from '../declared/declared-state.js';
import { parseFabricText } from '../declared/parse-fabric-text.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { flightOf, powerOf } from './testing/power-fixtures.js';
import { deploymentOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { one, select, take, targetOf, two } from './testing/router-moves.js';

describe('the list of models', () => {
  function miket(): DeclaredState {
    const file = new URL('../../../docs/examples/miket/fabric.yaml', import.meta.url);
    const result = parseFabricText(readFileSync(file, 'utf8'), 'fabric.yaml');
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    return result.state;
  }
  const states = ({ router }: FakeFabric): Record<string, string> =>
    Object.fromEntries(router.listModels().map(({ id, state }) => [id, state]));

  it('of the reference estate is exactly its ten names', () => {
    const fabric = fabricOf(miket());
    expect(fabric.router.listModels().map(({ id }) => id)).toEqual([
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
    ]);
  });

  it('of the reference estate shows what answers while wintermute is away', () => {
    const fabric = fabricOf(miket());
    fabric.secrets.add('OPENAI_API_KEY');
    fabric.live.setHost('wintermute', { presence: 'away' });
    expect(states(fabric)).toEqual({
      'chat-fast': 'ready',
      'chat-deep': 'cloud',
      'embeddings-general': 'ready',
      'local/chat': 'ready',
      'local/reasoner': 'cloud',
      'local/embed': 'ready',
      'qwen2.5-7b-armitage': 'ready',
      'llama31-8b-wintermute': 'away',
      'openai/strong': 'cloud',
      'openai/cheap': 'cloud',
    });
  });

  it('of the reference estate without a provider key says what is away and what cannot answer', () => {
    const fabric = fabricOf(miket());
    fabric.live.setHost('wintermute', { presence: 'away' });
    expect(states(fabric)).toMatchObject({ 'chat-deep': 'away', 'openai/strong': 'unavailable' });
  });

  it('tells what would serve, the task and the longest context', () => {
    const deployments = [
      deploymentOf('a', { contextTokens: 4_096 }),
      deploymentOf('b', { contextTokens: 32_768 }),
    ];
    const fabric = fabricOf(stateOf({ deployments, roles: [roleOf('chat-fast', ['a', 'b'])] }));
    take(fabric, { excluded: new Set(['b']) });
    const ready = { task: 'chat', state: 'ready', readyInSeconds: null };
    expect(fabric.router.listModels()).toEqual([
      { id: 'chat-fast', kind: 'role', ...ready, servedBy: 'b', contextTokens: 32_768 },
      { id: 'a', kind: 'deployment', ...ready, servedBy: 'a', contextTokens: 4_096 },
      { id: 'b', kind: 'deployment', ...ready, servedBy: 'b', contextTokens: 32_768 },
    ]);
  });

  it.each([
    { state: 'asleep', power: powerOf({ readySeconds: { a: 31.2 } }), readyInSeconds: 32 },
    {
      state: 'waking',
      // Long overdue: what is late is told to be late for as long again, five minutes at most.
      power: powerOf({ readySeconds: { a: 31.2 }, flight: flightOf({ askedAtMs: 0 }) }),
      readyInSeconds: 300,
    },
    { state: 'asleep', power: powerOf({ readySeconds: {} }), readyInSeconds: null },
  ])('says $state of a role whose host sleeps, ready in $readyInSeconds s', ({ power, ...expected }) => {
    const fabric = fabricOf(one);
    fabric.live.setHost('host-of-a', { presence: 'away', power });
    expect(fabric.router.listModels()).toMatchObject([expected, expected]);
  });

  it('says when a host that sleeps would serve what the cloud serves now', () => {
    const fabric = fabricOf(two);
    for (const host of ['host-of-a', 'host-of-b']) {
      fabric.live.setHost(host, { presence: 'away', power: powerOf() });
    }
    const [role] = fabric.router.listModels();
    expect(role).toMatchObject({ state: 'cloud', readyInSeconds: 40 });
  });

  it.each([
    { state: 'busy', make: (fabric: FakeFabric) => void Array.from({ length: 4 }, () => take(fabric)) },
    { state: 'away', make: ({ live }: FakeFabric) => live.setHost('host-of-a', { presence: 'away' }) },
    {
      state: 'unavailable',
      make: ({ live }: FakeFabric) => live.setStatus('a', 'host-of-a', { phase: 'failed' }),
    },
    { state: 'ready', make: () => {} },
  ])('says $state of a role and its deployment alike', ({ state, make }) => {
    const fabric = fabricOf(one);
    make(fabric);
    expect(states(fabric)).toEqual({ 'chat-fast': state, a: state });
  });

  it('is the same however often it is asked for, and takes no request its luck', () => {
    const asked = fabricOf(two, { seed: 9 });
    const unasked = fabricOf(two, { seed: 9 });
    const first = asked.router.listModels();
    expect(asked.router.listModels()).toEqual(first);
    const choices = (fabric: FakeFabric): string[] =>
      Array.from({ length: 30 }, () => targetOf(select(fabric)));
    expect(choices(asked)).toEqual(choices(unasked));
  });
});

describe('names', () => {
  it('that are unknown get the nearest known ones', () => {
    const fabric = fabricOf(two);
    expect(fabric.router.resolve('chat-fats')).toBeUndefined();
    expect(fabric.router.nearestNames('chat-fats')[0]).toBe('chat-fast');
  });

  it('of deployments that are not listed mean nothing to clients', () => {
    const deployments = [deploymentOf('hidden', { listed: false })];
    const fabric = fabricOf(stateOf({ deployments, roles: [roleOf('chat-fast', ['hidden'])] }));
    expect(fabric.router.resolve('hidden')).toBeUndefined();
    expect(fabric.router.nearestNames('hiden')).toEqual([]);
    expect(targetOf(select(fabric))).toBe('hidden');
  });
});
