import { seededRandom } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CandidateGroup, ReplicaCandidate } from '../candidate.js';
import type { RouteDecision, RouteRequest } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import {
  cloudGroupOf,
  cloudOf,
  deploymentOf,
  replicaOf,
  replicasOf,
  requestOf,
  roleOf,
  termsOf,
} from '../testing/router-fixtures.js';
import { route } from './route.js';

/** With enough to read for any other to be preferred. */
const busy = { decoding: 0, prefilling: 3, backlogTokens: 9_000 };
const cheap = cloudOf('openai/cheap');
const strong = cloudOf('openai/strong');

function decide(
  groups: readonly CandidateGroup[],
  request: Partial<RouteRequest> = {},
  random = seededRandom(5),
): RouteDecision {
  const whole = requestOf({ estimatedPromptTokens: 10, ...request });
  return route(whole, groups, termsOf(), random, defaultRouterSettings.route);
}

function servedBy(decision: RouteDecision): string {
  if (decision.kind === 'send') return decision.deployment.name;
  if (decision.kind === 'cloud') return `${decision.provider.name}/${decision.model.name}`;
  return decision.kind === 'refuse' ? `refused: ${decision.code}` : `${decision.kind}s: ${decision.reason}`;
}

const verdicts = (decision: RouteDecision): Record<string, string> =>
  Object.fromEntries(decision.considered.map(({ target, verdict }) => [target, verdict]));

describe('among replicas that compete', () => {
  it('the less loaded one serves', () => {
    const busy = replicaOf('a', { inflight: 3, load: { decoding: 1, prefilling: 2, backlogTokens: 800 } });
    const decision = decide([replicasOf(busy, replicaOf('b', { inflight: 1 }))]);
    expect(servedBy(decision)).toBe('b');
    expect(decision).toMatchObject({ kind: 'send', reason: 'least_cost' });
  });

  it('a fuller card is passed over for an emptier one, in-flight being equal', () => {
    for (const draw of [0, 0.5, 0.99]) {
      const kvCapacityTokens = 10_000;
      const fuller = replicaOf('a', { inflight: 1, load: { kvCapacityTokens, kvOtherTokens: 9_500 } });
      const emptier = replicaOf('b', { inflight: 1, load: { kvCapacityTokens, kvOtherTokens: 1_500 } });
      expect(servedBy(decide([replicasOf(fuller, emptier)], {}, () => draw))).toBe('b');
    }
  });

  it('one that others keep busy is passed over', () => {
    const decision = decide([
      replicasOf(replicaOf('a', { load: { external: 8 } }), replicaOf('b', { inflight: 1 })),
    ]);
    expect(servedBy(decision)).toBe('b');
  });

  it('a fast card with much to do is preferred to a slow one with little', () => {
    const slow = replicaOf('slow', { inflight: 1 });
    const rates = { iterationSeconds: 0.004, perDecodingSeconds: 0.0002, perPromptTokenSeconds: 0.00005 };
    const fast = replicaOf('fast', {
      inflight: 3,
      rates,
      load: { decoding: 1, prefilling: 2, backlogTokens: 900 },
    });
    expect(servedBy(decide([replicasOf(slow, fast)]))).toBe('fast');
  });

  it('the only one that passes serves, and the reason says so', () => {
    const decision = decide([
      replicasOf(replicaOf('a', { presence: 'away' }), replicaOf('b', { inflight: 3 })),
    ]);
    expect(decision).toMatchObject({ kind: 'send', reason: 'only_candidate', deployment: { name: 'b' } });
  });

  it('equal ones are drawn, and each gets its share', () => {
    const groups = [replicasOf(replicaOf('a'), replicaOf('b'), replicaOf('c'))];
    const random = seededRandom(3);
    const counts = new Map<string, number>();
    for (let round = 0; round < 3_000; round += 1) {
      const decision = decide(groups, {}, random);
      expect(decision).toMatchObject({ reason: 'tie_broken' });
      counts.set(servedBy(decision), (counts.get(servedBy(decision)) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(100);
    expect(counts.size).toBe(3);
  });

  it('each is told with its verdict and what it was predicted to take', () => {
    const decision = decide([
      replicasOf(
        replicaOf('away', { presence: 'away' }),
        replicaOf('busy', { inflight: 3 }),
        replicaOf('idle'),
        replicaOf('full', { inflight: 4 }),
      ),
      cloudGroupOf(cheap),
    ]);
    expect(decision.considered).toEqual([
      { target: 'away', verdict: 'host_away', costSeconds: null },
      {
        target: 'busy',
        verdict: 'passed_over',
        costSeconds: expect.closeTo(1.5 * 0.023 + 0.005 + 10 * 0.024, 9),
      },
      { target: 'idle', verdict: 'chosen', costSeconds: expect.closeTo(0.02 + 0.005 + 10 * 0.021, 9) },
      { target: 'full', verdict: 'full', costSeconds: null },
    ]);
  });
});

describe('the order of targets', () => {
  it('a provider behind replicas is not asked while one of them can serve, however loaded', () => {
    const decision = decide([
      replicasOf(replicaOf('a', { inflight: 3, load: { prefilling: 3, backlogTokens: 20_000 } })),
      cloudGroupOf(cheap),
    ]);
    expect(servedBy(decision)).toBe('a');
    expect(verdicts(decision)).toEqual({ a: 'chosen' });
  });

  it.each([
    { obstacle: 'host_away', parts: { presence: 'away' as const } },
    { obstacle: 'host_late', parts: { presence: 'late' as const } },
    { obstacle: 'draining', parts: { draining: true } },
    { obstacle: 'not_ready', parts: { phase: 'loading' as const } },
    { obstacle: 'full', parts: { inflight: 4 } },
    { obstacle: 'breaker_open', parts: { blockedForMs: 800 } },
  ])('the provider behind serves when the replica before is $obstacle', ({ obstacle, parts }) => {
    const decision = decide([replicasOf(replicaOf('a', parts)), cloudGroupOf(cheap)]);
    expect(decision).toMatchObject({ kind: 'cloud', reason: 'cloud_fallback' });
    expect(verdicts(decision)).toEqual({ a: obstacle, 'openai/cheap': 'chosen' });
  });

  it('a provider that stands first serves first', () => {
    const decision = decide([cloudGroupOf(cheap), replicasOf(replicaOf('a'))]);
    expect(decision).toMatchObject({ kind: 'cloud', reason: 'only_candidate' });
  });

  it('replicas behind a provider serve when it cannot', () => {
    const decision = decide([
      cloudGroupOf(cloudOf('openai/cheap', { keyPresent: false })),
      replicasOf(replicaOf('a')),
    ]);
    expect(servedBy(decision)).toBe('a');
  });

  it('providers do not compete: the second one waits for the first to fail', () => {
    expect(servedBy(decide([cloudGroupOf(cheap), cloudGroupOf(strong)]))).toBe('openai/cheap');
    const excluded = new Set(['openai/cheap']);
    expect(servedBy(decide([cloudGroupOf(cheap), cloudGroupOf(strong)], { excluded }))).toBe('openai/strong');
  });

  it('what was tried for this request is not tried again', () => {
    const groups = [replicasOf(replicaOf('a'), replicaOf('b', { inflight: 3 })), cloudGroupOf(cheap)];
    expect(servedBy(decide(groups, { excluded: new Set(['a']) }))).toBe('b');
    expect(servedBy(decide(groups, { excluded: new Set(['a', 'b']) }))).toBe('openai/cheap');
    expect(servedBy(decide(groups, { excluded: new Set(['a', 'b', 'openai/cheap']) }))).toBe(
      'refused: all_failed',
    );
  });

  it('a long prompt goes past the small card to the one that has room', () => {
    const groups = [
      replicasOf(
        replicaOf('small', { contextTokens: 4_096 }),
        replicaOf('large', { contextTokens: 32_768, inflight: 3, load: busy }),
      ),
    ];
    expect(servedBy(decide(groups, { estimatedPromptTokens: 20_000 }))).toBe('large');
    expect(servedBy(decide(groups, { estimatedPromptTokens: 1_000 }))).toBe('small');
  });
});

describe('a request that may not fit', () => {
  const small = replicaOf('small', { contextTokens: 8_192 });
  const large = replicaOf('large', { contextTokens: 32_768, inflight: 3, load: busy });
  const largeAway = replicaOf('large', { contextTokens: 32_768, presence: 'away' });
  const found = (...targets: string[]) => ({ foundTooLongBy: new Set(targets) });

  it.each<[string, readonly CandidateGroup[], Partial<RouteRequest>, string]>([
    [
      'goes to the small card when it fits',
      [replicasOf(small, large)],
      { estimatedPromptTokens: 5_000 },
      'small',
    ],
    ['goes to the larger card beside', [replicasOf(small, large)], { estimatedPromptTokens: 6_000 }, 'large'],
    [
      'goes to the larger card behind',
      [replicasOf(small), cloudGroupOf(cheap), replicasOf(large)],
      { estimatedPromptTokens: 10_000, mayCloud: false },
      'large',
    ],
    [
      'goes to the provider behind',
      [replicasOf(small), cloudGroupOf(cheap)],
      { estimatedPromptTokens: 10_000 },
      'openai/cheap',
    ],
    [
      'counts the answer to it',
      [replicasOf(small), cloudGroupOf(cheap)],
      { maxTokens: 9_000 },
      'openai/cheap',
    ],
    [
      'counts the answer beside the prompt',
      [replicasOf(small), cloudGroupOf(cheap)],
      { estimatedPromptTokens: 3_000, maxTokens: 4_000 },
      'openai/cheap',
    ],
    [
      'counts the answer where the prompt is not known',
      [replicasOf(small, large)],
      { maxTokens: 9_000 },
      'large',
    ],
    ['stays where nothing is larger', [replicasOf(small)], { estimatedPromptTokens: 20_000 }, 'small'],
    [
      'stays where nothing is larger, whatever answer it allows',
      [replicasOf(small)],
      { maxTokens: 1e6 },
      'small',
    ],
    [
      'stays where the larger one cannot serve',
      [replicasOf(small, largeAway)],
      { estimatedPromptTokens: 10_000 },
      'small',
    ],
    [
      'stays where it may not use the cloud',
      [replicasOf(small), cloudGroupOf(cheap)],
      { maxTokens: 9_000, mayCloud: false },
      'small',
    ],
    [
      'stays where it asks for no cloud',
      [replicasOf(small), cloudGroupOf(cheap)],
      { maxTokens: 9_000, localOnly: true },
      'small',
    ],
    [
      'takes the largest where none may do',
      [replicasOf(small, large)],
      { estimatedPromptTokens: 30_000 },
      'large',
    ],
    [
      'takes one of unknown context for large',
      [replicasOf(small, replicaOf('unknown', { inflight: 3 }))],
      { maxTokens: 9_000 },
      'unknown',
    ],
    ['goes on when an engine found it too long', [replicasOf(small, large)], found('small'), 'large'],
    [
      'goes past what is no larger',
      [replicasOf(small, replicaOf('same', { contextTokens: 8_192 })), cloudGroupOf(cheap)],
      found('small'),
      'openai/cheap',
    ],
    ['goes past what is smaller', [replicasOf(small, large)], found('large'), 'refused: context_too_long'],
    [
      'is refused when all found it too long',
      [replicasOf(small), cloudGroupOf(cheap)],
      found('small', 'openai/cheap'),
      'refused: context_too_long',
    ],
    [
      'is told that the larger one is away',
      [replicasOf(small, largeAway)],
      found('small'),
      'refused: host_away',
    ],
    [
      'is the same as any while all are away',
      [replicasOf(largeAway, replicaOf('s', { contextTokens: 100, presence: 'away' }))],
      { maxTokens: 200 },
      'refused: host_away',
    ],
  ])('%s', (_what, groups, request, served) => {
    expect(servedBy(decide(groups, request))).toBe(served);
  });

  it('says of the card that it was too small', () => {
    const decision = decide([replicasOf(small), cloudGroupOf(cheap)], { maxTokens: 9_000 });
    expect(verdicts(decision)).toEqual({ small: 'context_too_long', 'openai/cheap': 'chosen' });
  });
});

describe('a key that may not use the cloud', () => {
  const groups = [replicasOf(replicaOf('a', { presence: 'away' })), cloudGroupOf(cheap)];

  it('is told that the host is away, and does not reach the provider', () => {
    expect(servedBy(decide(groups, { mayCloud: false }))).toBe('refused: host_away');
  });

  it('is told so where there is nothing but the cloud', () => {
    expect(servedBy(decide([cloudGroupOf(cheap)], { mayCloud: false }))).toBe('refused: cloud_not_allowed');
  });
});

describe('what is asked for by its own name', () => {
  it('is served by itself alone', () => {
    const resolved = { kind: 'deployment' as const, deployment: deploymentOf('a') };
    const decision = decide([replicasOf(replicaOf('a', { inflight: 3 }))], { resolved });
    expect(decision).toMatchObject({ kind: 'send', reason: 'asked_by_name', deployment: { name: 'a' } });
  });

  it('is served by its provider, as asked and not as a fallback', () => {
    const resolved = { kind: 'providerModel' as const, provider: cheap.provider, model: cheap.model };
    expect(decide([cloudGroupOf(cheap)], { resolved })).toMatchObject({
      kind: 'cloud',
      reason: 'asked_by_name',
    });
  });

  it('is refused when it cannot serve, and nothing stands in', () => {
    const resolved = { kind: 'deployment' as const, deployment: deploymentOf('a') };
    const decision = decide([replicasOf(replicaOf('a', { presence: 'away' }))], { resolved });
    expect(servedBy(decision)).toBe('refused: host_away');
  });
});

describe('an embeddings role', () => {
  const embedder = (
    name: string,
    servedModel: string,
    more: Partial<ReplicaCandidate> = {},
  ): ReplicaCandidate => replicaOf(name, { ...more, deployment: { task: 'embeddings', servedModel } });
  const cloudEmbedder = (model: string) =>
    cloudOf('openai/embed', { modelMore: { task: 'embeddings', model } });
  const request = {
    task: 'embeddings' as const,
    resolved: {
      kind: 'role' as const,
      role: roleOf('embeddings-general', [], { task: 'embeddings' as const }),
    },
  };

  it('is served by another replica of the same model', () => {
    const groups = [replicasOf(embedder('a', 'bge', { inflight: 4 }), embedder('b', 'bge'))];
    expect(servedBy(decide(groups, request))).toBe('b');
  });

  it.each([
    { state: 'away', parts: { presence: 'away' as const }, code: 'host_away' },
    { state: 'full', parts: { inflight: 4 }, code: 'no_capacity' },
    { state: 'loading', parts: { phase: 'loading' as const }, code: 'loading' },
  ])('is refused rather than served by another model when its own is $state', ({ parts, code }) => {
    const groups = [
      replicasOf(embedder('a', 'bge', parts), embedder('b', 'nomic')),
      cloudGroupOf(cloudEmbedder('text-embedding-3-small')),
    ];
    const decision = decide(groups, request);
    expect(servedBy(decision)).toBe(`refused: ${code}`);
    expect(verdicts(decision)).toMatchObject({ b: 'other_model', 'openai/embed': 'other_model' });
  });

  it('stays with its first model after the first target failed for this request', () => {
    const groups = [replicasOf(embedder('a', 'bge'), embedder('b', 'nomic'))];
    expect(servedBy(decide(groups, { ...request, excluded: new Set(['a']) }))).toBe('refused: all_failed');
  });

  it('goes on to a larger context only of the very same model', () => {
    const small = embedder('a', 'bge', { contextTokens: 512 });
    const other = embedder('b', 'nomic', { contextTokens: 8_192 });
    const tooLong = { ...request, foundTooLongBy: new Set(['a']) };
    expect(servedBy(decide([replicasOf(small, other)], tooLong))).toBe('refused: context_too_long');
    const larger = embedder('c', 'bge', { contextTokens: 8_192 });
    expect(servedBy(decide([replicasOf(small, other, larger)], tooLong))).toBe('c');
  });

  it('goes on to a provider only for the very same model', () => {
    const groups = [
      replicasOf(embedder('a', 'bge', { presence: 'away' })),
      cloudGroupOf(cloudEmbedder('bge')),
    ];
    expect(servedBy(decide(groups, request))).toBe('openai/embed');
  });

  it('never changes its model, whatever state its targets are in', () => {
    const state = fc.record({
      model: fc.constantFrom('bge', 'nomic', 'e5'),
      presence: fc.constantFrom('online' as const, 'away' as const, 'late' as const),
      inflight: fc.nat(5),
      blockedForMs: fc.constantFrom(0, 500),
      tried: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), fc.nat(1_000), (states, seed) => {
        const candidates = states.map(({ model, tried, ...rest }, index) =>
          embedder(`d${index}`, model, rest),
        );
        const excluded = new Set(states.flatMap(({ tried }, index) => (tried ? [`d${index}`] : [])));
        const groups = [replicasOf(...candidates), cloudGroupOf(cloudEmbedder('e5'))];
        const decision = decide(groups, { ...request, excluded }, seededRandom(seed));
        const first = states[0]?.model;
        if (decision.kind === 'send') expect(decision.deployment.servedModel).toBe(first);
        if (decision.kind === 'cloud') expect(decision.model.model).toBe(first);
      }),
      { numRuns: 400 },
    );
  });
});

describe('whatever the candidates', () => {
  const candidate = fc.record({
    presence: fc.constantFrom('online' as const, 'late' as const, 'away' as const, 'unseen' as const),
    draining: fc.boolean(),
    phase: fc.constantFrom('ready' as const, 'loading' as const, 'failed' as const),
    contextTokens: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: null }),
    blockedForMs: fc.constantFrom(0, 0, 900),
    busyForMs: fc.constantFrom(0, 0, 300),
    inflight: fc.nat(5),
    meanHoldMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: null }),
    load: fc.record({
      external: fc.double({ min: 0, max: 1e9, noNaN: true }),
      prefilling: fc.nat(4),
      backlogTokens: fc.nat(100_000),
      kvOtherTokens: fc.nat(100_000),
      kvCapacityTokens: fc.constantFrom(0, 20_000),
      drift: fc.constantFrom(1, 3, Number.NaN),
    }),
  });
  const anyRequest = fc.record({
    estimatedPromptTokens: fc.option(fc.nat(20_000), { nil: null }),
    excluded: fc.constantFrom(new Set<string>(), new Set(['r0']), new Set(['r0', 'r1', 'openai/cheap'])),
    mayCloud: fc.boolean(),
  });

  it('the chosen one passed every filter, and a refusal says something that helps', () => {
    fc.assert(
      fc.property(
        fc.array(candidate, { maxLength: 5 }),
        fc.boolean(),
        anyRequest,
        fc.nat(1_000),
        (parts, hasCloud, request, seed) => {
          const replicas = parts.map((part, index) => replicaOf(`r${index}`, part));
          const groups = [
            ...(replicas.length > 0 ? [replicasOf(...replicas)] : []),
            ...(hasCloud ? [cloudGroupOf(cheap)] : []),
          ];
          const decision = decide(groups, request, seededRandom(seed));
          if (decision.kind === 'send') {
            const chosen = replicas.find(({ target }) => target === decision.deployment.name);
            expect(chosen).toMatchObject({
              presence: 'online',
              draining: false,
              phase: 'ready',
              blockedForMs: 0,
            });
            expect(chosen?.inflight).toBeLessThan(4);
            expect(request.excluded.has(decision.deployment.name)).toBe(false);
            expect(decision.considered.filter(({ verdict }) => verdict === 'chosen')).toHaveLength(1);
          } else if (decision.kind === 'cloud') {
            expect(request.mayCloud).toBe(true);
            expect(Object.values(verdicts(decision))).not.toContain('passed_over');
          } else if (decision.kind === 'refuse') {
            expect(decision.detail).toMatch(/^role chat-fast: ./);
            expect(Number.isInteger(decision.retryAfterSeconds)).toBe(true);
            expect(decision.retryAfterSeconds).toBeGreaterThanOrEqual(0);
            expect(decision.retryAfterSeconds).toBeLessThanOrEqual(60);
            expect(Object.values(verdicts(decision))).not.toContain('chosen');
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('the same question with the same luck has the same answer', () => {
    fc.assert(
      fc.property(fc.array(candidate, { minLength: 1, maxLength: 5 }), fc.nat(1_000), (parts, seed) => {
        const groups = [replicasOf(...parts.map((part, index) => replicaOf(`r${index}`, part)))];
        expect(decide(groups, {}, seededRandom(seed))).toEqual(decide(groups, {}, seededRandom(seed)));
      }),
    );
  });
});
