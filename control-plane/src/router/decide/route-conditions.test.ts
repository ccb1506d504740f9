import { seededRandom } from '@ai-fabric/shared/testing';
import { describe, expect, it } from 'vitest';
import type { TargetCondition } from '../../declared/declared-state.js';
import type { CandidateGroup, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import { needsOf } from '../needs.js';
import type { RouteDecision, RouteRequest } from '../route-types.js';
import { defaultRouterSettings } from '../router-settings.js';
import {
  cloudGroupOf,
  cloudOf,
  replicaOf,
  replicasOf,
  requestOf,
  roleOf,
  targetOf,
  termsOf,
} from '../testing/router-fixtures.js';
import { route } from './route.js';

const NO_CONDITION: TargetCondition = {
  whenWaitExceeds: null,
  maxContext: null,
  capabilities: null,
  localOnly: false,
};

function when(more: Partial<TargetCondition>): TargetCondition {
  return { ...NO_CONDITION, ...more };
}

/** One target behind what stands before it. */
function behind(
  candidate: ReplicaCandidate | CloudCandidate,
  more: Partial<TargetCondition>,
): CandidateGroup {
  const { whenWaitExceeds } = when(more);
  const group = candidate.kind === 'replica' ? replicasOf(candidate) : cloudGroupOf(candidate);
  const opens = whenWaitExceeds === null ? {} : { opensAfterSeconds: whenWaitExceeds };
  return { ...group, conditions: [when(more)], ...opens };
}

const role = roleOf('chat-fast', []);

function decide(
  groups: readonly CandidateGroup[],
  request: Partial<RouteRequest> = {},
  terms = termsOf(),
): RouteDecision {
  const whole = requestOf({ estimatedPromptTokens: 10, resolved: { kind: 'role', role }, ...request });
  return route(whole, groups, terms, seededRandom(5), defaultRouterSettings.route);
}

function servedBy(decision: RouteDecision): string {
  if (decision.kind === 'send') return decision.deployment.name;
  if (decision.kind === 'cloud') return `${decision.provider.name}/${decision.model.name}`;
  return decision.kind === 'refuse' ? `refused: ${decision.code}` : `${decision.kind}s: ${decision.reason}`;
}

const verdicts = (decision: RouteDecision): Record<string, string> =>
  Object.fromEntries(decision.considered.map(({ target, verdict }) => [target, verdict]));

describe('a condition of a target', () => {
  const hints = { key: 'k', promptBytes: 9_000, streams: false, choices: 1 };
  it.each<[string, Partial<TargetCondition>, Partial<RouteRequest>, string]>([
    ['for short prompts, of one that is', { maxContext: 100 }, { estimatedPromptTokens: 100 }, 'chosen'],
    [
      'for short prompts, of one that is not',
      { maxContext: 100 },
      { estimatedPromptTokens: 101 },
      'condition_context',
    ],
    [
      'for short prompts, with the answer',
      { maxContext: 100 },
      { estimatedPromptTokens: 60, maxTokens: 41 },
      'condition_context',
    ],
    [
      'for short prompts, of one of unknown length',
      { maxContext: 100 },
      { estimatedPromptTokens: null },
      'chosen',
    ],
    ['for images, of one without', { capabilities: ['vision'] }, {}, 'condition_capability'],
    [
      'for images, of one with them',
      { capabilities: ['vision'] },
      { needs: needsOf(['vision', 'tools']) },
      'chosen',
    ],
    [
      'for images or audio, of one with audio',
      { capabilities: ['vision', 'audio'] },
      { needs: needsOf(['audio']) },
      'chosen',
    ],
    ['for what stays here, of one that may go', { localOnly: true }, {}, 'condition_local'],
    ['for what stays here, by its key', { localOnly: true }, { mayCloud: false }, 'chosen'],
    ['for what stays here, by its header', { localOnly: true }, { localOnly: true }, 'chosen'],
    [
      'of all kinds, none of which it meets',
      { maxContext: 1, capabilities: ['audio'], localOnly: true },
      { hints },
      'condition_capability',
    ],
  ])('%s: %j', (_what, more, request, verdict) => {
    const decision = decide([behind(replicaOf('a'), more)], request);
    expect(verdicts(decision)).toEqual({ a: verdict });
    if (verdict !== 'chosen') expect(decision).toMatchObject({ kind: 'refuse', code: 'condition_unmet' });
  });

  it('by tokens counts as the model of that target does, once that is known', () => {
    const hinted = { estimatedPromptTokens: 1_500, hints };
    const dense = replicaOf('dense', { bytesPerToken: 3, isDensityKnown: true });
    const loose = replicaOf('loose', { bytesPerToken: 9, isDensityKnown: true });
    const groups = [
      { ...replicasOf(dense, loose), conditions: [when({ maxContext: 2_000 }), when({ maxContext: 2_000 })] },
    ];
    expect(verdicts(decide(groups, hinted))).toEqual({ dense: 'condition_context', loose: 'chosen' });
  });

  it('that is not met leaves the request to the others', () => {
    const groups = [behind(replicaOf('small'), { maxContext: 5 }), replicasOf(replicaOf('large'))];
    expect(servedBy(decide(groups))).toBe('large');
    expect(servedBy(decide(groups, { estimatedPromptTokens: 5 }))).toBe('small');
  });

  it('is told with its numbers', () => {
    const target = { ...targetOf('a'), when: when({ maxContext: 5 }) };
    const resolved = { kind: 'role' as const, role: roleOf('chat-fast', [], { targets: [target] }) };
    const decision = decide([behind(replicaOf('a'), { maxContext: 5 })], { resolved, maxTokens: 30 });
    expect(decision).toHaveProperty(
      'detail',
      "role chat-fast: its targets are kept for other requests (a: is kept for at most 5 tokens by the role's maxContext, the prompt has about 10 and the answer may have 30)",
    );
  });
});

describe('what a request needs', () => {
  const needs = needsOf(['vision']);
  const blind = replicaOf('blind', { deployment: { capabilities: ['tools'] } });
  const seeing = replicaOf('seeing', { deployment: { capabilities: ['vision'] } });

  it('leads it to the target that can do it', () => {
    expect(verdicts(decide([replicasOf(blind, seeing)], { needs }))).toEqual({
      blind: 'lacks_capability',
      seeing: 'chosen',
    });
  });

  it('rules nothing out of which nothing is declared', () => {
    expect(servedBy(decide([replicasOf(replicaOf('a'))], { needs }))).toBe('a');
  });

  it('rules out what declares that it can do nothing', () => {
    const plain = replicaOf('plain', { deployment: { capabilities: [] } });
    expect(servedBy(decide([replicasOf(plain)], { needs }))).toBe('refused: lacks_capability');
    expect(servedBy(decide([replicasOf(plain)]))).toBe('plain');
  });

  it('that nobody can do is told as the request’s own fault, and by name', () => {
    const cloud = cloudOf('openai/cheap', { modelMore: { capabilities: ['tools'] } });
    const decision = decide([replicasOf(blind), cloudGroupOf(cloud)], {
      needs: needsOf(['vision', 'tools']),
    });
    expect(decision).toMatchObject({ code: 'lacks_capability', retryAfterSeconds: 0 });
    expect(decision).toHaveProperty('detail', expect.stringContaining('blind: is not declared to do vision'));
  });

  it('that only an away target can do is told as that', () => {
    const away = replicaOf('seeing', { presence: 'away', deployment: { capabilities: ['vision'] } });
    expect(servedBy(decide([replicasOf(blind, away)], { needs }))).toBe('refused: host_away');
  });
});

describe('a target that is asked after a wait', () => {
  /** Its next request begins when so many tokens are read, half a millisecond each. */
  const reading = (name: string, tokens: number): ReplicaCandidate =>
    replicaOf(name, { load: { prefilling: 1, backlogTokens: tokens } });
  const held = { mayWait: true };
  const full = { inflight: 4 };
  const turnIn = (seconds: number | null) => termsOf({ turnSeconds: () => seconds });

  it('is not asked while those before it begin soon enough', () => {
    const decision = decide([
      replicasOf(reading('a', 3_000)),
      behind(replicaOf('b'), { whenWaitExceeds: 5 }),
    ]);
    expect(verdicts(decision)).toEqual({ a: 'chosen', b: 'not_yet' });
  });

  it('competes where they take longer, and the cheaper serves', () => {
    const late = reading('a', 12_000);
    expect(servedBy(decide([replicasOf(late), behind(replicaOf('b'), { whenWaitExceeds: 5 })]))).toBe('b');
    const later = reading('b', 30_000);
    expect(servedBy(decide([replicasOf(late), behind(later, { whenWaitExceeds: 5 })]))).toBe('a');
  });

  it('opens at the threshold, for a provider too, which then serves', () => {
    const cloud = behind(cloudOf('openai/cheap'), { whenWaitExceeds: 5 });
    let [closed, open] = [0, 0];
    for (let tokens = 0; tokens < 12_000; tokens += 100) {
      const decision = decide([replicasOf(reading('a', tokens)), cloud]);
      const { costSeconds } = decision.considered[0] ?? {};
      if (decision.kind === 'cloud') {
        open += 1;
        expect(decision).toMatchObject({ reason: 'wait_exceeded' });
        expect(costSeconds).toBeGreaterThan(5);
      } else {
        expect(open).toBe(0);
        closed += 1;
      }
    }
    expect(Math.min(closed, open)).toBeGreaterThan(10);
  });

  it('is passed over for a later one that needs no wait only where it cannot serve', () => {
    const groups = [
      replicasOf(replicaOf('a', { presence: 'away' })),
      behind(replicaOf('b', { presence: 'away' }), { whenWaitExceeds: 5 }),
      cloudGroupOf(cloudOf('openai/cheap')),
    ];
    expect(servedBy(decide(groups))).toBe('openai/cheap');
  });

  it.each<[string, Parameters<typeof replicaOf>[1], number | null, Partial<RouteRequest>, string]>([
    ['that are away', { presence: 'away' }, null, held, 'openai/cheap'],
    ['that are being loaded', { phase: 'loading' }, null, held, 'openai/cheap'],
    ['that are full for long', full, 5.1, held, 'openai/cheap'],
    ['that are full for a moment', full, 4.9, held, 'waits: full'],
    ['that are full, nobody knows how long', full, null, held, 'waits: full'],
    ['that are full, and were waited for', full, 1, { ...held, waitedMs: 4_001 }, 'openai/cheap'],
    ['whose turn is near', full, 0.9, { ...held, waitedMs: 4_000 }, 'waits: full'],
    ['whose engine says that it is full', { busyForMs: 300 }, 60, held, 'waits: full'],
    ['that have fallen silent', { presence: 'late' }, null, held, 'waits: silent'],
    ['that have been silent', { presence: 'late' }, null, { ...held, waitedMs: 5_001 }, 'openai/cheap'],
    ['that are full, and may not wait', full, 1, {}, 'openai/cheap'],
  ])('behind targets %s', (_what, parts, turn, request, served) => {
    const groups = [
      replicasOf(replicaOf('a', parts)),
      behind(cloudOf('openai/cheap'), { whenWaitExceeds: 5 }),
    ];
    expect(servedBy(decide(groups, request, turnIn(turn)))).toBe(served);
  });

  it('asks for the turn at those that are full, all together', () => {
    const asked: (readonly string[])[] = [];
    const turnSeconds = (targets: readonly string[]): number => {
      asked.push(targets);
      return 1;
    };
    const loading = replicaOf('c', { phase: 'loading' });
    const groups = [
      replicasOf(replicaOf('a', full), replicaOf('b', full), loading),
      behind(cloudOf('openai/cheap'), { whenWaitExceeds: 5 }),
    ];
    decide(groups, held, termsOf({ turnSeconds }));
    expect(asked).toEqual([['a', 'b']]);
  });

  it.each([
    ['by its turn', 1, 1_500, 2_500],
    ['not at each moment, where its turn is short of it', 3.49, 1_500, 100],
    ['no later than its own waiting', 0.01, 4_950, 50],
  ])('is looked at again when its time has come: %s', (_what, turn, waitedMs, lookAgainInMs) => {
    const groups = [
      replicasOf(replicaOf('a', full)),
      behind(cloudOf('openai/cheap'), { whenWaitExceeds: 5 }),
    ];
    const decision = decide(groups, { ...held, waitedMs }, turnIn(turn));
    expect(decision).toMatchObject({ kind: 'wait', waitsFor: ['a'] });
    expect(decision).toHaveProperty('lookAgainInMs', expect.closeTo(lookAgainInMs, 6));
    expect(verdicts(decision)).toEqual({ a: 'full', 'openai/cheap': 'not_yet' });
  });

  it('is looked at again when its provider has rested', () => {
    const groups = [
      replicasOf(replicaOf('a', { inflight: 4, meanHoldMs: 40_000 })),
      behind(cloudOf('openai/cheap', { restForMs: 7_000 }), { whenWaitExceeds: 5 }),
    ];
    const decision = decide(groups, held, turnIn(10));
    expect(decision).toMatchObject({ kind: 'wait', lookAgainInMs: 7_000 });
    expect(verdicts(decision)).toEqual({ a: 'full', 'openai/cheap': 'rate_limited' });
  });

  it('is asked at once by who asks for it alone', () => {
    const groups = [replicasOf(replicaOf('a')), behind(replicaOf('b'), { whenWaitExceeds: 5 })];
    expect(servedBy(decide(groups, { onlyTarget: 'b' }))).toBe('b');
  });
});

describe('a target that a client asks for', () => {
  const groups = [replicasOf(replicaOf('a'), replicaOf('b')), cloudGroupOf(cloudOf('openai/cheap'))];

  it('serves, and no other', () => {
    const decision = decide(groups, { onlyTarget: 'b' });
    expect(decision).toMatchObject({ kind: 'send', reason: 'asked_by_name' });
    expect(verdicts(decision)).toEqual({ a: 'not_that_target', b: 'chosen' });
    expect(decide(groups, { onlyTarget: 'openai/cheap' })).toMatchObject({
      ...{ kind: 'cloud', reason: 'asked_by_name' },
    });
  });

  it('is refused for its own obstacle, and nobody stands in for it', () => {
    const asleep = [replicasOf(replicaOf('a'), replicaOf('b', { presence: 'away' })), ...groups.slice(1)];
    const decision = decide(asleep, { onlyTarget: 'b', mayWait: true });
    expect(decision).toMatchObject({ kind: 'refuse', code: 'host_away' });
    expect(decision).toHaveProperty('detail', expect.not.stringContaining('a:'));
    expect(servedBy(decide(groups, { onlyTarget: 'openai/cheap', mayCloud: false }))).toBe(
      'refused: cloud_not_allowed',
    );
  });

  it('is waited for where it is full', () => {
    const full = [replicasOf(replicaOf('a'), replicaOf('b', { inflight: 4 }))];
    expect(decide(full, { onlyTarget: 'b', mayWait: true })).toMatchObject({ kind: 'wait', waitsFor: ['b'] });
  });
});

describe('room for a prompt', () => {
  const hints = (promptBytes: number) => ({ key: 'k', promptBytes, streams: false, choices: 1 });
  const small = (more: object) => replicaOf('small', { contextTokens: 8_192, bytesPerToken: 4, ...more });
  const large = replicaOf('large', { contextTokens: 32_768 });

  it.each([
    ['not known, of 5,461 tokens by the rough count', false, 5_461, 4_000, 'small'],
    ['not known, of half as much again', false, 5_462, 4_000, 'large'],
    ['known, of 7,123 tokens by its own', true, 5_462, 28_492, 'small'],
    ['known, of 7,124 tokens by its own', true, 100, 28_496, 'large'],
  ])('of a model whose tokens are %s', (_what, isDensityKnown, estimatedPromptTokens, bytes, served) => {
    const groups = [replicasOf(small({ isDensityKnown })), replicasOf(large)];
    const decision = decide(groups, { estimatedPromptTokens, hints: hints(bytes) });
    expect(servedBy(decision)).toBe(served);
  });

  it('is found at a provider that declares it, and not at one that declares less', () => {
    const short = cloudOf('openai/cheap', { modelMore: { contextTokens: 16_000 } });
    const long = cloudOf('openai/strong', { modelMore: { contextTokens: 128_000 } });
    const groups = [replicasOf(small({})), cloudGroupOf(short), cloudGroupOf(long)];
    expect(servedBy(decide(groups, { estimatedPromptTokens: 20_000 }))).toBe('openai/strong');
    expect(servedBy(decide(groups, { estimatedPromptTokens: 10_000 }))).toBe('openai/cheap');
    expect(servedBy(decide(groups, { estimatedPromptTokens: 1_000 }))).toBe('small');
  });

  it('opens a target that is otherwise asked after a wait', () => {
    const groups = [replicasOf(small({})), behind(large, { whenWaitExceeds: 60 })];
    expect(servedBy(decide(groups, { estimatedPromptTokens: 10_000, mayWait: true }))).toBe('large');
  });

  it('that nobody has is told with estimate, limit and the longest', () => {
    const groups = [replicasOf(small({})), replicasOf(large)];
    const decision = decide(groups, { estimatedPromptTokens: 140_000, maxTokens: 500 });
    expect(decision).toMatchObject({ code: 'context_too_long' });
    expect(decision).toHaveProperty(
      'detail',
      'role chat-fast: the request is too long for every target, and large is the longest with 32768 tokens ' +
        '(small: takes 8192 tokens, the prompt has about 140000 and the answer may have 500; ' +
        'large: takes 32768 tokens, the prompt has about 140000 and the answer may have 500)',
    );
  });
});
