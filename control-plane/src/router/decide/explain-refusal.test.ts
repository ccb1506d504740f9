import { describe, expect, it } from 'vitest';
import type { Candidate, CandidateGroup } from '../candidate.js';
import { needsOf } from '../needs.js';
import type { RefusalCode, RouteDecision, RouteRequest } from '../route-types.js';
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

type Refusal = Extract<RouteDecision, { kind: 'refuse' }>;

function refusal(candidates: readonly Candidate[], request: Partial<RouteRequest> = {}): Refusal {
  const groups = candidates.map(
    (candidate): CandidateGroup =>
      candidate.kind === 'replica' ? replicasOf(candidate) : cloudGroupOf(candidate),
  );
  const decision = route(requestOf(request), groups, termsOf(), () => 0, defaultRouterSettings.route);
  if (decision.kind !== 'refuse') throw new Error(`expected a refusal, found ${decision.kind}`);
  return decision;
}

const away = replicaOf('away', { presence: 'away' });
const asleep = replicaOf('asleep', { presence: 'away', mayBeAway: true });
const unseen = replicaOf('unseen', { presence: 'unseen' });
const late = replicaOf('late', { presence: 'late' });
const draining = replicaOf('draining', { draining: true });
const yielded = replicaOf('yielded', { yielded: true, phase: 'parked' });
const loading = replicaOf('loading', { phase: 'loading' });
const broken = replicaOf('broken', { blockedForMs: 3_400 });
const full = replicaOf('full', { inflight: 4, meanHoldMs: 20_000 });
const busy = replicaOf('busy', { busyForMs: 300 });
const small = replicaOf('small', { contextTokens: 100 });
const embedder = replicaOf('embedder', { deployment: { task: 'embeddings' } });
const cloud = cloudOf('openai/cheap');
const keyless = cloudOf('azure/strong', { keyPresent: false });
const limited = cloudOf('openai/strong', { restForMs: 41_500 });
const scarce = cloudOf('openai/mini', { tokensLeft: 3, tokensInMs: 7_000 });
const keyRefused = cloudOf('azure/cheap', { restForMs: 29_000, restCause: 'key' });
const blind = replicaOf('blind', { deployment: { capabilities: [] } });
const seeing = { needs: needsOf(['vision']) };
const longPrompt = { estimatedPromptTokens: 5_000 };

describe('the code of a refusal', () => {
  const rows: { of: string; candidates: Candidate[]; request?: Partial<RouteRequest>; code: RefusalCode }[] =
    [
      { of: 'all full', candidates: [full, busy], code: 'no_capacity' },
      { of: 'all away', candidates: [away, asleep], code: 'host_away' },
      { of: 'never joined', candidates: [unseen], code: 'host_away' },
      { of: 'late', candidates: [late], code: 'host_away' },
      { of: 'none ready', candidates: [loading], code: 'loading' },
      { of: 'draining', candidates: [draining], code: 'not_ready' },
      { of: 'its owner’s', candidates: [yielded], code: 'yielded' },
      { of: 'away beside its owner’s', candidates: [away, yielded], code: 'host_away' },
      { of: 'breakers open', candidates: [broken], code: 'not_ready' },
      { of: 'too long', candidates: [small], request: longPrompt, code: 'context_too_long' },
      { of: 'wrong task', candidates: [embedder], code: 'wrong_task' },
      {
        of: 'a provider that does not speak it',
        candidates: [cloud, embedder],
        request: { endpoint: 'messages' },
        code: 'endpoint_not_spoken',
      },
      {
        of: 'cloud only, not allowed',
        candidates: [cloud],
        request: { mayCloud: false },
        code: 'cloud_not_allowed',
      },
      { of: 'cloud only, no key', candidates: [keyless], code: 'provider_key_missing' },
      { of: 'full beside away', candidates: [away, full], code: 'no_capacity' },
      { of: 'full beside loading', candidates: [loading, full], code: 'no_capacity' },
      { of: 'loading beside away', candidates: [asleep, loading], code: 'loading' },
      { of: 'loading beside draining', candidates: [draining, loading], code: 'loading' },
      { of: 'open breaker beside away', candidates: [asleep, broken], code: 'not_ready' },
      { of: 'away beside draining', candidates: [draining, asleep], code: 'host_away' },
      { of: 'away beside too small', candidates: [small, away], request: longPrompt, code: 'host_away' },
      { of: 'full beside too small', candidates: [small, full], request: longPrompt, code: 'no_capacity' },
      {
        of: 'away, and the cloud not allowed',
        candidates: [asleep, cloud],
        request: { mayCloud: false },
        code: 'host_away',
      },
      { of: 'away, and the provider without a key', candidates: [asleep, keyless], code: 'host_away' },
      {
        of: 'too small, and the cloud not allowed',
        candidates: [small, cloud],
        request: { ...longPrompt, mayCloud: false },
        code: 'context_too_long',
      },
      {
        of: 'cloud not allowed, nor keyed',
        candidates: [cloud, keyless],
        request: { mayCloud: false },
        code: 'cloud_not_allowed',
      },
      { of: 'tried', candidates: [full], request: { excluded: new Set(['full']) }, code: 'all_failed' },
      {
        of: 'tried but busy',
        candidates: [busy],
        request: { excluded: new Set(['busy']) },
        code: 'no_capacity',
      },
      {
        of: 'tried beside away',
        candidates: [loading, asleep],
        request: { excluded: new Set(['loading']) },
        code: 'all_failed',
      },
      {
        of: 'tried beside full',
        candidates: [loading, full],
        request: { excluded: new Set(['loading']) },
        code: 'no_capacity',
      },
      { of: 'a provider that rests', candidates: [limited], code: 'rate_limited' },
      {
        of: 'a provider that has too few tokens left',
        candidates: [scarce],
        request: { estimatedPromptTokens: 4 },
        code: 'rate_limited',
      },
      { of: 'a provider that rests beside full', candidates: [limited, full], code: 'no_capacity' },
      { of: 'a provider that rests beside away', candidates: [limited, asleep], code: 'rate_limited' },
      { of: 'a provider that refuses its key', candidates: [keyRefused], code: 'provider_refuses' },
      { of: 'a key that is refused beside away', candidates: [keyRefused, asleep], code: 'host_away' },
      { of: 'no eyes', candidates: [blind], request: seeing, code: 'lacks_capability' },
      { of: 'no eyes beside away', candidates: [blind, asleep], request: seeing, code: 'host_away' },
      { of: 'no targets left', candidates: [], code: 'not_ready' },
    ];

  it.each(rows)('of $of is $code', ({ candidates, request, code }) => {
    expect(refusal(candidates, request).code).toBe(code);
    expect(refusal([...candidates].reverse(), request).code).toBe(code);
  });
});

describe('Retry-After', () => {
  it.each([
    { of: 'a host that sleeps', candidates: [asleep], seconds: 60 },
    { of: 'a host that is late', candidates: [late], seconds: 5 },
    { of: 'a replica that loads', candidates: [loading], seconds: 10 },
    { of: 'a host that drains', candidates: [draining], seconds: 30 },
    { of: 'an open breaker: its cool-down', candidates: [broken], seconds: 4 },
    {
      of: 'two open breakers: the shorter cool-down',
      candidates: [broken, replicaOf('b', { blockedForMs: 1_200 })],
      seconds: 2,
    },
    { of: 'four slots held for 20 s each', candidates: [full], seconds: 5 },
    { of: 'slots of which no hold time is known', candidates: [replicaOf('f', { inflight: 4 })], seconds: 2 },
    { of: 'an engine that is busy for 300 ms', candidates: [busy], seconds: 1 },
    { of: 'the sooner of two', candidates: [full, busy], seconds: 1 },
    {
      of: 'slots that are held for an hour',
      candidates: [replicaOf('f', { inflight: 4, meanHoldMs: 3_600_000 })],
      seconds: 30,
    },
    {
      of: 'a breaker that is open for long',
      candidates: [replicaOf('b', { blockedForMs: 600_000 })],
      seconds: 60,
    },
    { of: 'a provider that rests, as long as it says', candidates: [limited], seconds: 42 },
    {
      of: 'a provider that rests for hours',
      candidates: [cloudOf('openai/strong', { restForMs: 7_200_000 })],
      seconds: 7_200,
    },
    { of: 'a key that is refused', candidates: [keyRefused], seconds: 29 },
    { of: 'the wrong task: it never helps', candidates: [embedder], seconds: 0 },
    { of: 'a missing key: it does not help', candidates: [keyless], seconds: 0 },
    { of: 'no targets: it does not help', candidates: [], seconds: 0 },
  ])('of $of is $seconds', ({ candidates, seconds }) => {
    expect(refusal(candidates).retryAfterSeconds).toBe(seconds);
  });

  it('is 0 for a prompt that no target takes, and for a cloud that stays closed', () => {
    expect(refusal([small], longPrompt).retryAfterSeconds).toBe(0);
    expect(refusal([cloud], { mayCloud: false }).retryAfterSeconds).toBe(0);
  });
});

describe('the detail of a refusal', () => {
  it('calls a host that may be away normal', () => {
    expect(refusal([asleep]).detail).toBe(
      'role chat-fast: its host is away (asleep: host host-of-asleep is asleep or off, which is normal for it)',
    );
  });

  it.each([
    { candidates: [away], words: 'host host-of-away is away; start it, or its agent' },
    { candidates: [unseen], words: 'host host-of-unseen has never joined; run its agent' },
    { candidates: [late], words: 'host host-of-late has fallen silent' },
    { candidates: [draining], words: 'host host-of-draining is draining; undrain it to use it again' },
    { candidates: [loading], words: 'its replica on host-of-loading is loading' },
    { candidates: [full], words: 'all 4 slots are taken' },
    { candidates: [busy], words: 'its engine says that its queue is full' },
    { candidates: [broken], words: 'failed repeatedly, is tried again in 4 s' },
    { candidates: [embedder], words: 'is for embeddings, the request is for chat' },
    { candidates: [keyless], words: 'the control plane has no API key for provider azure' },
  ])('names the thing and the place: $words', ({ candidates, words }) => {
    expect(refusal(candidates).detail).toContain(words);
  });

  it('tells a long prompt what there is and what it has', () => {
    expect(refusal([small], longPrompt).detail).toContain('takes 100 tokens, the prompt has about 5000');
  });

  it('tells of every target, in order', () => {
    const { detail } = refusal([asleep, full, cloud], { mayCloud: false });
    expect(detail).toBe(
      'role chat-fast: all that could serve it now is full (' +
        'asleep: host host-of-asleep is asleep or off, which is normal for it; ' +
        'full: all 4 slots are taken; openai/cheap: this key may not use the cloud)',
    );
  });

  it('stays short however many targets there are', () => {
    const many = Array.from({ length: 500 }, (_, index) => replicaOf(`r${index}`, { presence: 'away' }));
    const { detail } = refusal(many);
    expect(detail).toMatch(/; and 494 more\)$/);
    expect(detail.length).toBeLessThan(800);
  });

  it.each([
    {
      resolved: { kind: 'role' as const, role: roleOf('chat-deep', []) },
      name: /^role chat-deep: /,
    },
    {
      resolved: { kind: 'deployment' as const, deployment: deploymentOf('llama') },
      name: /^deployment llama: /,
    },
    {
      resolved: { kind: 'providerModel' as const, provider: cloud.provider, model: cloud.model },
      name: /^model openai\/cheap: /,
    },
  ])('begins with what was asked for: $name', ({ resolved, name }) => {
    expect(refusal([away], { resolved }).detail).toMatch(name);
  });

  it('says nothing of where a secret would be found', () => {
    expect(refusal([keyless]).detail).not.toContain('PROVIDER_KEY');
  });
});
