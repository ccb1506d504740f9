import { describe, expect, it } from 'vitest';
import type { RouteRequest, ToldLimits } from './route-types.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, providerOf, requestOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { select, succeeded, take, targetOf } from './testing/router-moves.js';

const openai = providerOf('openai', { cheap: {}, strong: {} });
const cloudOnly = stateOf({
  providers: [openai],
  roles: [roleOf('chat-fast', ['openai/cheap']), roleOf('chat-deep', ['openai/strong'])],
});

function toldOf(more: Partial<ToldLimits> = {}): ToldLimits {
  return { answer: 'answered', retryAfterMs: null, requests: null, tokens: null, ...more };
}

/** A request that the provider answers with what it tells of its limits. */
function ask(fabric: FakeFabric, told: Partial<ToldLimits>, model = 'chat-fast'): void {
  const claim = take(fabric, {}, model);
  claim.limitsTold(toldOf(told));
  claim.release(told.answer === undefined || told.answer === 'answered' ? succeeded : { kind: 'busy' });
}

const decide = (fabric: FakeFabric, request: Partial<RouteRequest> = {}, model = 'chat-fast'): string =>
  targetOf(select(fabric, request, model));

describe('a provider that limits its rate', () => {
  it('is not asked before the time that it told, and then again', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { answer: 'limited', retryAfterMs: 42_000 });
    expect(select(fabric)).toMatchObject({ kind: 'refuse', code: 'rate_limited', retryAfterSeconds: 42 });
    fabric.clock.advance(41_999);
    expect(select(fabric)).toMatchObject({
      retryAfterSeconds: 1,
      detail: expect.stringContaining('provider openai limits its rate; asked again in 1 s'),
    });
    fabric.clock.advance(1);
    expect(decide(fabric)).toBe('openai/cheap');
  });

  it('rests for that model alone', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { answer: 'limited', retryAfterMs: 42_000 });
    expect(decide(fabric, {}, 'chat-deep')).toBe('openai/strong');
  });

  it('is told to Prometheus: how long it rests, and how often it began to', () => {
    const fabric = fabricOf(cloudOnly);
    const rests = () =>
      fabric.router.gauges().targets.map(({ target, restSeconds }) => `${target} ${restSeconds}`);
    const begun = () => fabric.router.gauges().begunRests.filter(({ count }) => count > 0);
    expect(rests()).toEqual(['openai/cheap 0', 'openai/strong 0']);
    expect(fabric.router.gauges().begunRests).toHaveLength(4);
    ask(fabric, { answer: 'limited', retryAfterMs: 42_000 });
    ask(fabric, { answer: 'limited', retryAfterMs: 9_000 }, 'chat-deep');
    expect(rests()).toEqual(['openai/cheap 42', 'openai/strong 9']);
    expect(begun()).toEqual([{ provider: 'openai', cause: 'rate', count: 2 }]);
    fabric.clock.advance(42_000);
    ask(fabric, { answer: 'key_refused' });
    expect(rests()).toEqual(['openai/cheap 30', 'openai/strong 30']);
    expect(begun()).toEqual([
      { provider: 'openai', cause: 'rate', count: 2 },
      { provider: 'openai', cause: 'key', count: 1 },
    ]);
  });

  it('counts answers that cross as one rest', () => {
    const fabric = fabricOf(cloudOnly);
    const claims = [take(fabric), take(fabric)];
    for (const claim of claims) {
      claim.limitsTold(toldOf({ answer: 'limited', retryAfterMs: 5_000 }));
      claim.release({ kind: 'busy' });
    }
    expect(fabric.router.gauges().begunRests[0]).toEqual({ provider: 'openai', cause: 'rate', count: 1 });
  });

  it('cannot be claimed by who decided before it said so', () => {
    const fabric = fabricOf(cloudOnly);
    const decision = select(fabric);
    ask(fabric, { answer: 'limited', retryAfterMs: 5_000 });
    fabric.clock.advance(600);
    if (decision.kind !== 'cloud') throw new Error('expected the cloud');
    expect(fabric.router.claim(decision, requestOf())).toBeNull();
  });

  it('is passed over for a replica behind it', () => {
    const fabric = fabricOf(
      stateOf({
        deployments: [deploymentOf('a')],
        providers: [openai],
        roles: [roleOf('chat-fast', ['openai/cheap', 'a'])],
      }),
    );
    ask(fabric, { answer: 'limited', retryAfterMs: 5_000 });
    const decision = select(fabric);
    expect(targetOf(decision)).toBe('a');
    expect(decision.considered[0]).toMatchObject({ target: 'openai/cheap', verdict: 'rate_limited' });
  });

  it('keeps its rest when something else is declared, and loses it with another key', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { answer: 'limited', retryAfterMs: 42_000 });
    fabric.declared.replace(stateOf({ providers: [openai], roles: [roleOf('chat-fast', ['openai/cheap'])] }));
    expect(decide(fabric)).toBe('refused: rate_limited');
    fabric.clock.advance(500);
    const other = { ...openai, apiKey: null };
    fabric.declared.replace(stateOf({ providers: [other], roles: [roleOf('chat-fast', ['openai/cheap'])] }));
    expect(decide(fabric)).toBe('openai/cheap');
  });
});

describe('what a provider has left', () => {
  it('is nothing until its reset, though the answer was a good one', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { requests: { left: 0, limit: null, resetMs: 20_000 } });
    expect(select(fabric)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 20 });
    fabric.clock.advance(20_000);
    expect(decide(fabric)).toBe('openai/cheap');
  });

  it('is less what is under way', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { requests: { left: 2, limit: null, resetMs: 20_000 } });
    const claims = [take(fabric), take(fabric)];
    expect(decide(fabric)).toBe('refused: rate_limited');
    claims[0]?.limitsTold(toldOf({ requests: { left: 1, limit: null, resetMs: 19_000 } }));
    expect(decide(fabric)).toBe('refused: rate_limited');
    claims[1]?.release({ kind: 'neutral' });
    expect(decide(fabric)).toBe('openai/cheap');
  });

  it('in tokens rules out what needs more, until the reset', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { tokens: { left: 500, limit: null, resetMs: 8_000 } });
    expect(decide(fabric, { estimatedPromptTokens: 500 })).toBe('openai/cheap');
    const refused = select(fabric, { estimatedPromptTokens: 501 });
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 8 });
    expect(refused).toHaveProperty('detail', expect.stringContaining('has 500 tokens left for the next 8 s'));
    take(fabric, { estimatedPromptTokens: 300 });
    expect(decide(fabric, { estimatedPromptTokens: 300 })).toBe('refused: rate_limited');
    fabric.clock.advance(8_000);
    expect(decide(fabric, { estimatedPromptTokens: 501 })).toBe('openai/cheap');
  });

  it('is all of it after the reset, and no more than that is under way before an answer tells', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { requests: { left: 0, limit: 2, resetMs: 20_000 } });
    fabric.clock.advance(20_000);
    const claims = [take(fabric), take(fabric)];
    expect(select(fabric)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
    claims[0]?.limitsTold(toldOf({ requests: { left: 3, limit: 4, resetMs: 20_000 } }));
    expect(decide(fabric)).toBe('openai/cheap');
  });

  it('after the reset is no bound of one request: the provider knows how much that may be', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { tokens: { left: 5, limit: 500, resetMs: 8_000 } });
    fabric.clock.advance(8_000);
    expect(decide(fabric, { estimatedPromptTokens: 900 })).toBe('openai/cheap');
  });

  it('is believed for a minute where no reset was told', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { requests: { left: 0, limit: null, resetMs: null } });
    fabric.clock.advance(59_999);
    expect(decide(fabric)).toBe('refused: rate_limited');
    fabric.clock.advance(1);
    expect(decide(fabric)).toBe('openai/cheap');
  });
});

describe('a provider that refuses for another reason', () => {
  it('of an exhausted quota is asked again after five minutes, and says why', () => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { answer: 'out_of_quota', retryAfterMs: 1_000 });
    expect(select(fabric)).toMatchObject({
      ...{ code: 'rate_limited', retryAfterSeconds: 300 },
      detail: expect.stringContaining('quota of its account is used up'),
    });
  });

  it.each([
    ['key_refused', 30, '(401)'],
    ['unpaid', 300, '(402)'],
  ] as const)('(%s) rests with all its models for %i s', (answer, seconds, words) => {
    const fabric = fabricOf(cloudOnly);
    ask(fabric, { answer });
    for (const model of ['chat-fast', 'chat-deep']) {
      expect(select(fabric, {}, model)).toMatchObject({
        ...{ code: 'provider_refuses', retryAfterSeconds: seconds },
        detail: expect.stringContaining(words),
      });
    }
    const rests = fabric.lines.filter(({ msg }) => msg === 'provider rests: requests go elsewhere');
    expect(rests).toMatchObject([{ of: 'openai', restSeconds: seconds }]);
    fabric.clock.advance(seconds * 1000);
    expect(decide(fabric, {}, 'chat-deep')).toBe('openai/strong');
  });
});
