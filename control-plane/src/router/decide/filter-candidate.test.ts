import { describe, expect, it } from 'vitest';
import type { RouteRequest } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import { cloudOf, replicaOf, requestOf } from '../testing/router-fixtures.js';
import { type FilterContext, filterCandidate } from './filter-candidate.js';

const settings = defaultRouterSettings.route.filter;

type ContextParts = Partial<Omit<FilterContext, 'request'> & RouteRequest> & { readonly roomTokens?: number };

function contextOf(more: ContextParts = {}): FilterContext {
  const { pinnedModel = null, roomTokens = 0, room, foundTooLongBy = new Set(), ...rest } = more;
  const { tooSmallTokens = 0, leavesLastSlot = false, ...request } = rest;
  return {
    request: requestOf(request),
    pinnedModel,
    room: room ?? { mustFit: false, tokens: roomTokens },
    foundTooLongBy,
    tooSmallTokens,
    leavesLastSlot,
  };
}

const tried = { excluded: new Set(['a', 'openai/strong']) };

describe('a replica', () => {
  it.each([
    { when: 'it is ready, idle and its host is online', parts: {}, context: {}, reason: null },
    { when: 'its last slot is free', parts: { inflight: 3 }, context: {}, reason: null },
    {
      when: 'its last slot is kept for streams, which this is',
      parts: { inflight: 3, keptForMs: 900 },
      context: {},
      reason: null,
    },
    {
      when: 'its last slot is kept for streams, which this is not',
      parts: { inflight: 3, keptForMs: 900 },
      context: { leavesLastSlot: true },
      reason: 'full',
    },
    {
      when: 'it has another slot beside the one that is kept',
      parts: { inflight: 2, keptForMs: 900 },
      context: { leavesLastSlot: true },
      reason: null,
    },
    { when: 'others fill its engine', parts: { load: { external: 40 } }, context: {}, reason: null },
    { when: 'its KV cache is full', parts: { load: { kvUsageRatio: 1 } }, context: {}, reason: null },
    {
      when: 'it does another task',
      parts: { deployment: { task: 'embeddings' as const } },
      context: {},
      reason: 'wrong_task',
    },
    { when: 'another model is asked for', parts: {}, context: { pinnedModel: 'bge' }, reason: 'other_model' },
    { when: 'its own model is asked for', parts: {}, context: { pinnedModel: 'model' }, reason: null },
    { when: 'its host is away', parts: { presence: 'away' as const }, context: {}, reason: 'host_away' },
    {
      when: 'its host never joined',
      parts: { presence: 'unseen' as const },
      context: {},
      reason: 'host_away',
    },
    { when: 'its host is late', parts: { presence: 'late' as const }, context: {}, reason: 'host_late' },
    { when: 'its host is draining', parts: { draining: true }, context: {}, reason: 'draining' },
    { when: 'its owner has the card', parts: { yielded: true }, context: {}, reason: 'yielded' },
    { when: 'its breaker is open', parts: { blockedForMs: 1 }, context: {}, reason: 'breaker_open' },
    { when: 'its engine says that it is busy', parts: { busyForMs: 1 }, context: {}, reason: 'full' },
    { when: 'its slots are taken', parts: { inflight: 4 }, context: {}, reason: 'full' },
    {
      when: 'it takes fewer requests than it was declared to before',
      parts: { inflight: 9 },
      context: {},
      reason: 'full',
    },
    { when: 'it was tried for this request', parts: {}, context: tried, reason: 'already_tried' },
    {
      when: 'it was tried and is only busy',
      parts: { busyForMs: 200 },
      context: tried,
      reason: 'full',
    },
    { when: 'the key may not use the cloud', parts: {}, context: { mayCloud: false }, reason: null },
  ])('is ruled out by $reason when $when', ({ parts, context, reason }) => {
    expect(filterCandidate(replicaOf('a', parts), contextOf(context), settings)).toBe(reason);
  });

  it.each(['absent', 'starting', 'loading', 'warming', 'failed'] as const)(
    'that is %s is not ready',
    (phase) => {
      expect(filterCandidate(replicaOf('a', { phase }), contextOf(), settings)).toBe('not_ready');
    },
  );

  it.each([
    { tokens: null, context: 100, reason: null },
    { tokens: 1_000, context: null, reason: null },
    { tokens: 100, context: 100, reason: null },
    { tokens: 400, context: 100, reason: null },
    { tokens: 401, context: 100, reason: 'context_too_long' },
    { tokens: 0, context: 1, reason: null },
  ])('with a context of $context is asked to take about $tokens tokens: $reason', (row) => {
    const replica = replicaOf('a', { contextTokens: row.context });
    const context = contextOf({ estimatedPromptTokens: row.tokens });
    expect(filterCandidate(replica, context, settings)).toBe(row.reason);
  });

  it.each([
    {
      when: 'more room is asked for',
      parts: { contextTokens: 99 },
      context: { roomTokens: 100 },
      long: true,
    },
    { when: 'just that room is asked for', parts: { contextTokens: 100 }, context: { roomTokens: 100 } },
    { when: 'nobody knows its context', parts: { contextTokens: null }, context: { roomTokens: 100 } },
    { when: 'its engine said so', parts: {}, context: { foundTooLongBy: new Set(['a']) }, long: true },
    {
      when: 'a larger engine said so',
      parts: { contextTokens: 100 },
      context: { foundTooLongBy: new Set(['b']), tooSmallTokens: 100 },
      long: true,
    },
    {
      when: 'a smaller engine said so',
      parts: { contextTokens: 101 },
      context: { foundTooLongBy: new Set(['b']), tooSmallTokens: 100 },
    },
  ])('is (not) too small when $when: $long', ({ parts, context, long }) => {
    expect(filterCandidate(replicaOf('a', parts), contextOf(context), settings)).toBe(
      long === true ? 'context_too_long' : null,
    );
  });

  it('for embeddings is not judged by the sum of all inputs', () => {
    const replica = replicaOf('a', { contextTokens: 512, deployment: { task: 'embeddings' } });
    const context = contextOf({ task: 'embeddings', estimatedPromptTokens: 40_000 });
    expect(filterCandidate(replica, context, settings)).toBeNull();
  });

  it('says what can never be before what cannot be now', () => {
    const tooSmallAndAway = replicaOf('a', { contextTokens: 10, presence: 'away', phase: 'absent' });
    const context = contextOf({ estimatedPromptTokens: 1_000 });
    expect(filterCandidate(tooSmallAndAway, context, settings)).toBe('context_too_long');
  });

  it('says where it stands before what it holds', () => {
    const parts = {
      presence: 'away',
      draining: true,
      phase: 'failed',
      inflight: 4,
      blockedForMs: 9,
    } as const;
    expect(filterCandidate(replicaOf('a', parts), contextOf(), settings)).toBe('host_away');
    expect(filterCandidate(replicaOf('a', { ...parts, presence: 'late' }), contextOf(), settings)).toBe(
      'host_late',
    );
    expect(filterCandidate(replicaOf('a', { ...parts, presence: 'online' }), contextOf(), settings)).toBe(
      'draining',
    );
  });
});

describe('a provider', () => {
  it.each([
    { when: 'its key is there', parts: {}, context: {}, reason: null },
    {
      when: 'its model does another task',
      parts: { modelMore: { task: 'embeddings' as const } },
      context: {},
      reason: 'wrong_task',
    },
    {
      when: 'it is not declared to speak the endpoint',
      parts: { keyPresent: false },
      context: { endpoint: 'messages' as const },
      reason: 'endpoint_not_spoken',
    },
    { when: 'it speaks the endpoint', parts: {}, context: { endpoint: 'chat' as const }, reason: null },
    { when: 'another model is asked for', parts: {}, context: { pinnedModel: 'bge' }, reason: 'other_model' },
    {
      when: 'its own model is asked for',
      parts: {},
      context: { pinnedModel: 'strong-2025' },
      reason: null,
    },
    {
      when: 'the key may not use the cloud',
      parts: {},
      context: { mayCloud: false },
      reason: 'cloud_not_allowed',
    },
    { when: 'the client asks for none', parts: {}, context: { localOnly: true }, reason: 'local_only' },
    {
      when: 'the client asks for none, and it could not serve anyway',
      parts: { keyPresent: false },
      context: { localOnly: true },
      reason: 'provider_key_missing',
    },
    {
      when: 'its API key is missing',
      parts: { keyPresent: false },
      context: {},
      reason: 'provider_key_missing',
    },
    {
      when: 'it found this request too long',
      parts: {},
      context: { foundTooLongBy: new Set(['openai/strong']) },
      reason: 'context_too_long',
    },
    { when: 'it was tried', parts: {}, context: tried, reason: 'already_tried' },
    { when: 'it was tried and limits its rate', parts: { busyForMs: 9 }, context: tried, reason: 'full' },
    { when: 'its breaker is open', parts: { blockedForMs: 9 }, context: {}, reason: 'breaker_open' },
    { when: 'it limits its rate', parts: { busyForMs: 9 }, context: {}, reason: 'full' },
    { when: 'it rests', parts: { restForMs: 9 }, context: {}, reason: 'rate_limited' },
    { when: 'it rests since it was tried', parts: { restForMs: 9 }, context: tried, reason: 'rate_limited' },
    {
      when: 'its quota is used up',
      parts: { restForMs: 9, restCause: 'quota' as const },
      context: {},
      reason: 'rate_limited',
    },
    {
      when: 'it refuses its key',
      parts: { restForMs: 9, restCause: 'key' as const },
      context: {},
      reason: 'provider_refuses',
    },
    {
      when: 'it is to be paid first',
      parts: { restForMs: 9, restCause: 'unpaid' as const },
      context: {},
      reason: 'provider_refuses',
    },
    {
      when: 'it has fewer tokens left than are needed',
      parts: { tokensLeft: 99 },
      context: { estimatedPromptTokens: 100 },
      reason: 'rate_limited',
    },
    {
      when: 'it has just as many tokens left',
      parts: { tokensLeft: 100 },
      context: { estimatedPromptTokens: 100 },
      reason: null,
    },
    { when: 'it has none left', parts: { tokensLeft: 0 }, context: {}, reason: 'rate_limited' },
    {
      when: 'its declared context is too small',
      parts: { modelMore: { contextTokens: 100 } },
      context: { estimatedPromptTokens: 401 },
      reason: 'context_too_long',
    },
    {
      when: 'it is no larger than what found this too long',
      parts: { modelMore: { contextTokens: 100 } },
      context: { foundTooLongBy: new Set(['a']), tooSmallTokens: 100 },
      reason: 'context_too_long',
    },
    {
      when: 'another target is asked for',
      parts: {},
      context: { onlyTarget: 'openai/cheap' },
      reason: 'not_that_target',
    },
    {
      when: 'the key may not use the cloud, whatever else',
      parts: { keyPresent: false, blockedForMs: 9 },
      context: { mayCloud: false },
      reason: 'cloud_not_allowed',
    },
  ])('is ruled out by $reason when $when', ({ parts, context, reason }) => {
    expect(filterCandidate(cloudOf('openai/strong', parts), contextOf(context), settings)).toBe(reason);
  });
});
