import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeclaredState, ResolvedModel } from '../declared/declared-state.js';
import { parseFabricText } from '../declared/parse-fabric-text.js';
import type { AttemptOutcome, Claim, RouteDecision, RouteRequest } from './route-types.js';
import { defaultRouterSettings } from './router-settings.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import {
  deploymentOf,
  providerOf,
  readingOf,
  requestOf,
  roleOf,
  stateOf,
} from './testing/router-fixtures.js';

const succeeded: AttemptOutcome = { kind: 'succeeded', promptTokens: 1, completionTokens: 1 };
const failed: AttemptOutcome = { kind: 'failed', code: 'connect_refused' };

const two = stateOf({
  deployments: [deploymentOf('a'), deploymentOf('b')],
  providers: [providerOf('openai', { cheap: {} })],
  roles: [roleOf('chat-fast', ['a', 'b', 'openai/cheap'])],
  aliases: { 'local/chat': 'chat-fast' },
});
const one = stateOf({ deployments: [deploymentOf('a')], roles: [roleOf('chat-fast', ['a'])] });

function resolved({ router }: FakeFabric, model = 'chat-fast'): ResolvedModel {
  const found = router.resolve(model);
  if (found === undefined) throw new Error(`${model} is not known`);
  return found;
}

function select(fabric: FakeFabric, more: Partial<RouteRequest> = {}, model = 'chat-fast'): RouteDecision {
  return fabric.router.select(requestOf({ resolved: resolved(fabric, model), ...more }));
}

function targetOf(decision: RouteDecision): string {
  if (decision.kind === 'refuse') return `refused: ${decision.code}`;
  return decision.kind === 'send'
    ? decision.deployment.name
    : `${decision.provider.name}/${decision.model.name}`;
}

/** Selects and claims, as the gateway does. */
function take(fabric: FakeFabric, more: Partial<RouteRequest> = {}, model = 'chat-fast'): Claim {
  const decision = select(fabric, more, model);
  if (decision.kind === 'refuse') throw new Error(decision.detail);
  const claim = fabric.router.claim(decision);
  if (claim === null) throw new Error(`the claim on ${targetOf(decision)} was lost`);
  return claim;
}

const inflight = ({ router }: FakeFabric, target: string): number | undefined =>
  router.gauges().targets.find((gauge) => gauge.target === target)?.inflight;
const breaker = ({ router }: FakeFabric, target: string): string | undefined =>
  router.gauges().targets.find((gauge) => gauge.target === target)?.breaker;

describe('requests through a role', () => {
  it('spread over equal replicas, since each claim counts at once', () => {
    const fabric = fabricOf(two);
    for (let request = 0; request < 8; request += 1) take(fabric);
    expect(inflight(fabric, 'a')).toBe(4);
    expect(inflight(fabric, 'b')).toBe(4);
  });

  it('go on to the provider when every slot is taken, and come back when one is free', () => {
    const fabric = fabricOf(two);
    const claims = Array.from({ length: 8 }, () => take(fabric));
    expect(select(fabric)).toMatchObject({ kind: 'cloud', reason: 'cloud_fallback' });
    claims[0]?.release(succeeded);
    expect(select(fabric).kind).toBe('send');
  });

  it('through an alias are decided like those through the role', () => {
    const fabric = fabricOf(two);
    expect(select(fabric, {}, 'local/chat').kind).toBe('send');
    expect(resolved(fabric, 'local/chat')).toEqual(resolved(fabric, 'chat-fast'));
  });

  it('are refused as no_capacity when all is full and the cloud is closed to the key', () => {
    const fabric = fabricOf(two);
    for (let request = 0; request < 8; request += 1) take(fabric);
    expect(select(fabric, { mayCloud: false })).toMatchObject({ kind: 'refuse', code: 'no_capacity' });
  });

  it('are told to come again when a slot should be free, from how long slots are held', () => {
    const fabric = fabricOf(one);
    const first = take(fabric);
    fabric.clock.advance(40_000);
    first.release(succeeded);
    for (let request = 0; request < 4; request += 1) take(fabric);
    expect(select(fabric)).toMatchObject({ code: 'no_capacity', retryAfterSeconds: 10 });
  });

  it('pass over the card whose KV cache is fuller', () => {
    const fabric = fabricOf(two);
    fabric.live.setReading('a', readingOf({ kvUsageRatio: 0.9 }), fabric.clock.nowMs());
    fabric.live.setReading('b', readingOf({ kvUsageRatio: 0.1 }), fabric.clock.nowMs());
    for (let request = 0; request < 20; request += 1) expect(targetOf(select(fabric))).toBe('b');
  });

  it('pass over the card that others use', () => {
    const fabric = fabricOf(two);
    fabric.live.setReading('a', readingOf({ running: 3 }), fabric.clock.nowMs());
    for (let request = 0; request < 20; request += 1) expect(targetOf(select(fabric))).toBe('b');
  });
});

describe('what the live view says', () => {
  it.each([
    { when: 'away', host: { presence: 'away' as const }, code: 'host_away' },
    { when: 'late', host: { presence: 'late' as const }, code: 'host_away' },
    { when: 'unseen', host: { presence: 'unseen' as const }, code: 'host_away' },
    { when: 'draining', host: { draining: true }, code: 'not_ready' },
  ])('of a host that is $when holds from the next request on: $code', ({ host, code }) => {
    const fabric = fabricOf(one);
    expect(select(fabric).kind).toBe('send');
    fabric.live.setHost('host-of-a', host);
    expect(targetOf(select(fabric))).toBe(`refused: ${code}`);
    fabric.live.setHost('host-of-a', { presence: 'online', draining: false });
    expect(select(fabric).kind).toBe('send');
  });

  it('of a replica that was never observed is: not ready', () => {
    const fabric = fabricOf(one);
    fabric.live.removeReplica('a');
    expect(targetOf(select(fabric))).toBe('refused: not_ready');
  });

  it('of a replica on another host than declared does not count', () => {
    const fabric = fabricOf(one);
    fabric.live.setStatus('a', 'elsewhere', { phase: 'ready' });
    expect(targetOf(select(fabric))).toBe('refused: not_ready');
  });

  it('calls an away host that may be away normal', () => {
    const fabric = fabricOf({
      ...one,
      hosts: new Map([['host-of-a', { name: 'host-of-a', mayBeAway: true }]]),
    });
    fabric.live.setHost('host-of-a', { presence: 'away' });
    const decision = select(fabric);
    expect(decision).toMatchObject({ code: 'host_away', retryAfterSeconds: 60 });
    expect(decision.kind === 'refuse' && decision.detail).toContain('normal');
  });

  it.each([
    { declared: null, reported: null, takes: 1e9 },
    { declared: null, reported: 4_000, takes: 5_000 },
    { declared: 2_000, reported: null, takes: 2_500 },
    { declared: 2_000, reported: 4_000, takes: 2_500 },
    { declared: 8_000, reported: 4_000, takes: 5_000 },
  ])('limits a prompt by the smaller of $declared declared and $reported reported tokens', (row) => {
    const deployments = [deploymentOf('a', { contextTokens: row.declared })];
    const fabric = fabricOf(stateOf({ deployments, roles: [roleOf('chat-fast', ['a'])] }));
    fabric.live.setStatus('a', 'host-of-a', { maxModelLen: row.reported });
    expect(select(fabric, { estimatedPromptTokens: row.takes }).kind).toBe('send');
    if (row.takes < 1e9) {
      const over = select(fabric, { estimatedPromptTokens: row.takes + 1 });
      expect(over).toMatchObject({ code: 'context_too_long', retryAfterSeconds: 0 });
    }
  });
});

describe('a claim', () => {
  it('is lost when the last slot went in between', () => {
    const fabric = fabricOf(one);
    for (let request = 0; request < 3; request += 1) take(fabric);
    const first = select(fabric);
    const second = select(fabric);
    if (first.kind !== 'send' || second.kind !== 'send')
      throw new Error('expected two choices of the last slot');
    expect(fabric.router.claim(first)).not.toBeNull();
    expect(fabric.router.claim(second)).toBeNull();
    expect(inflight(fabric, 'a')).toBe(4);
  });

  it('is lost when the engine said in between that it is full', () => {
    const fabric = fabricOf(one);
    const held = take(fabric);
    const decision = select(fabric);
    held.release({ kind: 'busy' });
    expect(decision.kind === 'send' && fabric.router.claim(decision)).toBeNull();
  });

  it('is lost when the breaker opened in between', () => {
    const fabric = fabricOf(one);
    const held = [take(fabric), take(fabric), take(fabric)];
    const decision = select(fabric);
    for (const claim of held) claim.release(failed);
    expect(decision.kind === 'send' && fabric.router.claim(decision)).toBeNull();
    expect(inflight(fabric, 'a')).toBe(0);
  });

  it('is lost when the deployment was declared anew, or no longer is', () => {
    const fabric = fabricOf(one);
    const decision = select(fabric);
    if (decision.kind !== 'send') throw new Error('expected a replica');
    fabric.declared.replace(stateOf({ deployments: [deploymentOf('a', { url: 'http://other:9' })] }));
    expect(fabric.router.claim(decision)).toBeNull();
    fabric.declared.replace(stateOf({}));
    expect(fabric.router.claim(decision)).toBeNull();
  });

  it('on a provider is lost when that was declared anew', () => {
    const fabric = fabricOf(two);
    const decision = select(fabric, {}, 'openai/cheap');
    if (decision.kind !== 'cloud') throw new Error('expected a provider');
    fabric.declared.replace(stateOf({ providers: [providerOf('openai', { cheap: {} })] }));
    expect(fabric.router.claim(decision)).toBeNull();
  });

  it('on a provider is never lost for want of slots', () => {
    const fabric = fabricOf(two);
    for (let request = 0; request < 500; request += 1) take(fabric, {}, 'openai/cheap');
    expect(inflight(fabric, 'openai/cheap')).toBe(500);
  });
});

describe('an engine that fails', () => {
  function open(fabric: FakeFabric): void {
    for (let time = 0; time < 3; time += 1) take(fabric).release(failed);
  }

  it('is left alone after three failures in a row, and says when it is tried again', () => {
    const fabric = fabricOf(one);
    open(fabric);
    expect(breaker(fabric, 'a')).toBe('open');
    const decision = select(fabric);
    expect(decision).toMatchObject({ kind: 'refuse', code: 'not_ready' });
    expect(decision.kind === 'refuse' && decision.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(fabric.lines.map(({ msg }) => msg)).toEqual(['breaker opened: requests go elsewhere']);
  });

  it('is tried by one request after its cool-down, and serves again when that ends well', () => {
    const fabric = fabricOf(one);
    open(fabric);
    fabric.clock.advance(2_000);
    const probe = take(fabric);
    expect(breaker(fabric, 'a')).toBe('half_open');
    expect(targetOf(select(fabric))).toBe('refused: not_ready');
    probe.release(succeeded);
    expect(breaker(fabric, 'a')).toBe('closed');
    expect(select(fabric).kind).toBe('send');
  });

  it('serves again from the first byte of the probe, however long its stream', () => {
    const fabric = fabricOf(one);
    open(fabric);
    fabric.clock.advance(2_000);
    const probe = take(fabric);
    probe.answered();
    expect(select(fabric).kind).toBe('send');
    probe.release(succeeded);
    expect(inflight(fabric, 'a')).toBe(0);
  });

  it('does not serve again because of the first byte of a request that was sent before', () => {
    const fabric = fabricOf(one);
    const before = take(fabric);
    open(fabric);
    fabric.clock.advance(2_000);
    take(fabric);
    before.answered();
    before.release(succeeded);
    expect(breaker(fabric, 'a')).toBe('half_open');
  });

  it('that is asked "what if" is not tried by that', () => {
    const fabric = fabricOf(one);
    open(fabric);
    fabric.clock.advance(2_000);
    for (let look = 0; look < 20; look += 1) {
      select(fabric);
      fabric.router.listModels();
      fabric.router.gauges();
    }
    expect(breaker(fabric, 'a')).toBe('open');
    expect(select(fabric).kind).toBe('send');
  });

  it('is passed over while others serve', () => {
    const fabric = fabricOf(two);
    for (let time = 0; time < 3; time += 1) take(fabric, { excluded: new Set(['b']) }).release(failed);
    for (let request = 0; request < 20; request += 1) expect(targetOf(select(fabric))).toBe('b');
  });

  it('and became ready again serves at once', () => {
    const fabric = fabricOf(one);
    open(fabric);
    fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
    fabric.live.setStatus('a', 'host-of-a', { phase: 'ready' });
    expect(breaker(fabric, 'a')).toBe('closed');
    expect(select(fabric).kind).toBe('send');
  });

  it('whose host was away and is back serves at once', () => {
    const fabric = fabricOf(one);
    open(fabric);
    fabric.live.setHost('host-of-a', { presence: 'away' });
    fabric.live.setHost('host-of-a', { presence: 'online' });
    expect(select(fabric).kind).toBe('send');
  });

  it.each([
    {
      news: 'its host was late for a moment',
      tell: ({ live }: FakeFabric) => {
        live.setHost('host-of-a', { presence: 'late' });
        live.setHost('host-of-a', { presence: 'online' });
      },
    },
    {
      news: 'its status came again',
      tell: ({ live }: FakeFabric) => live.setStatus('a', 'host-of-a', { detail: 'still here' }),
    },
    {
      news: 'a new reading came',
      tell: ({ live, clock }: FakeFabric) => live.setReading('a', readingOf(), clock.nowMs() + 1),
    },
    {
      news: 'another host came back',
      tell: ({ live }: FakeFabric) => {
        live.setHost('other', { presence: 'away' });
        live.setHost('other', { presence: 'online' });
      },
    },
  ])('stays left alone when $news', ({ tell }) => {
    const fabric = fabricOf(one);
    open(fabric);
    tell(fabric);
    expect(breaker(fabric, 'a')).toBe('open');
  });

  it('keeps its record when something else is declared, and loses it when another engine takes its name', () => {
    const fabric = fabricOf(one);
    open(fabric);
    fabric.declared.replace({ ...one, revision: 2, aliases: new Map([['x', 'chat-fast']]) });
    expect(breaker(fabric, 'a')).toBe('open');
    const deployments = [deploymentOf('a', { url: 'http://new-engine:8000' })];
    fabric.declared.replace(stateOf({ deployments, roles: [roleOf('chat-fast', ['a'])], revision: 3 }));
    expect(breaker(fabric, 'a')).toBe('closed');
  });

  it('does not leave its late failures to the engine that took its name', () => {
    const fabric = fabricOf(one);
    const late = [take(fabric), take(fabric), take(fabric)];
    const deployments = [deploymentOf('a', { url: 'http://new-engine:8000' })];
    fabric.declared.replace(stateOf({ deployments, roles: [roleOf('chat-fast', ['a'])], revision: 2 }));
    for (const claim of late) claim.release(failed);
    expect(breaker(fabric, 'a')).toBe('closed');
    expect(inflight(fabric, 'a')).toBe(0);
  });
});

describe('an engine whose queue is full', () => {
  it('is left alone for a moment, not for a cool-down', () => {
    const fabric = fabricOf(one);
    take(fabric).release({ kind: 'busy' });
    expect(select(fabric)).toMatchObject({ kind: 'refuse', code: 'no_capacity', retryAfterSeconds: 1 });
    fabric.clock.advance(500);
    expect(select(fabric).kind).toBe('send');
  });

  it('is not what a request that was tried there is refused for', () => {
    const fabric = fabricOf(one);
    take(fabric).release({ kind: 'busy' });
    expect(targetOf(select(fabric, { excluded: new Set(['a']) }))).toBe('refused: no_capacity');
  });
});

describe('the load of others', () => {
  const external = ({ router }: FakeFabric): number | null | undefined =>
    router.gauges().targets.find(({ target }) => target === 'a')?.externalLoad;

  it('is what the engine reports beyond our own requests', () => {
    const fabric = fabricOf(one);
    for (let request = 0; request < 2; request += 1) take(fabric);
    fabric.clock.advance(10_000);
    fabric.live.setReading('a', readingOf({ running: 4, waiting: 1 }), fabric.clock.nowMs());
    expect(external(fabric)).toBeCloseTo(3);
  });

  it('is unknown while no gauge told', () => {
    const fabric = fabricOf(one);
    fabric.live.setReading('a', readingOf({ running: null }), fabric.clock.nowMs());
    expect(external(fabric)).toBeNull();
  });

  it('is not an echo of our own burst that has just ended', () => {
    const fabric = fabricOf(one);
    const burst = Array.from({ length: 4 }, () => take(fabric));
    fabric.clock.advance(3_000);
    for (const claim of burst) claim.release(succeeded);
    // The gauge still tells of the burst, up to six seconds late.
    for (let late = 0; late < 3; late += 1) {
      fabric.clock.advance(1_900);
      fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs());
      expect(external(fabric)).toBe(0);
    }
  });

  it('fades when readings stop', () => {
    const fabric = fabricOf(one);
    fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() + 1);
    expect(external(fabric)).toBeCloseTo(4);
    fabric.clock.advance(4_000);
    expect(external(fabric)).toBeCloseTo(2);
    fabric.clock.advance(60_000);
    expect(external(fabric)).toBeLessThan(0.001);
  });

  it('is believed only as far as a gauge can be a count', () => {
    for (const running of [-3, Number.NaN, Number.POSITIVE_INFINITY]) {
      const fabric = fabricOf(one);
      fabric.live.setReading('a', readingOf({ running }), fabric.clock.nowMs() + 1);
      expect(external(fabric)).toBeNull();
      expect(select(fabric).kind).toBe('send');
    }
  });

  it('is not distorted when the wall clock is set an hour forward or back', () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      const fabric = fabricOf(one);
      fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() + 1);
      expect(external(fabric)).toBeCloseTo(4);
      fabric.clock.jumpWallClock(jumpMs);
      expect(external(fabric)).toBeCloseTo(4);
      fabric.clock.advance(4_000);
      expect(external(fabric)).toBeCloseTo(2);
    }
  });

  it('counts by the age that its reading has when it is first seen', () => {
    const fabric = fabricOf(one);
    fabric.clock.advance(60_000);
    fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() - 4_000);
    expect(external(fabric)).toBeCloseTo(2);
  });

  it('counts from now on when its reading bears a time to come', () => {
    const fabric = fabricOf(one);
    fabric.live.setReading('a', readingOf({ running: 4 }), fabric.clock.nowMs() + 3_600_000);
    expect(external(fabric)).toBeCloseTo(4);
    fabric.clock.advance(4_000);
    expect(external(fabric)).toBeCloseTo(2);
  });

  it('is kept over a change of the declared state that leaves the engine as it is', () => {
    const fabric = fabricOf(one);
    const report = (running: number): void => {
      fabric.live.setReading('a', readingOf({ running }), fabric.clock.nowMs());
    };
    fabric.clock.advance(60_000);
    report(3);
    expect(external(fabric)).toBeCloseTo(3);
    // From here on the gauge alone could not tell ours from theirs.
    for (let request = 0; request < 4; request += 1) take(fabric);
    fabric.clock.advance(1);
    report(4);
    expect(external(fabric)).toBeCloseTo(3, 2);
    fabric.declared.replace({ ...one, revision: 2 });
    expect(external(fabric)).toBeCloseTo(3, 2);
  });
});

describe('a provider', () => {
  it('without its key is not asked, and the refusal says so', () => {
    const fabric = fabricOf(two);
    fabric.secrets.clear();
    expect(select(fabric, {}, 'openai/cheap')).toMatchObject({
      code: 'provider_key_missing',
      retryAfterSeconds: 0,
    });
  });

  it('that needs no key is asked without one', () => {
    const provider = { ...providerOf('local', { m: {} }), apiKey: null };
    const fabric = fabricOf(stateOf({ providers: [provider] }));
    fabric.secrets.clear();
    expect(select(fabric, {}, 'local/m').kind).toBe('cloud');
  });

  it('has its key looked for once a second at most, and is used soon after the key is there', () => {
    const fabric = fabricOf(two);
    fabric.secrets.clear();
    for (let request = 0; request < 100; request += 1) select(fabric, {}, 'openai/cheap');
    expect(fabric.secretLookups()).toBe(1);
    fabric.secrets.add('PROVIDER_KEY');
    fabric.clock.advance(1_000);
    expect(select(fabric, {}, 'openai/cheap').kind).toBe('cloud');
  });
});

describe('a change of the declared state', () => {
  it('is seen by the next request', () => {
    const fabric = fabricOf(one);
    fabric.declared.replace(two);
    fabric.live.setHost('host-of-b', { presence: 'online' });
    fabric.live.setStatus('b', 'host-of-b', { phase: 'ready' });
    fabric.live.setHost('host-of-a', { presence: 'away' });
    expect(targetOf(select(fabric))).toBe('b');
    expect(fabric.router.resolve('openai/cheap')).toBeDefined();
  });

  it('that removes what a request was on its way to refuses it, for good', () => {
    const fabric = fabricOf(one);
    const request = requestOf({ resolved: resolved(fabric) });
    fabric.declared.replace(stateOf({}));
    expect(fabric.router.select(request)).toMatchObject({
      kind: 'refuse',
      retryAfterSeconds: 0,
      considered: [],
    });
    expect(fabric.router.resolve('chat-fast')).toBeUndefined();
  });

  it('counts open claims of a deployment that is gone until they end', () => {
    const fabric = fabricOf(one);
    const claim = take(fabric);
    fabric.declared.replace(stateOf({}));
    expect(fabric.router.gauges().targets).toMatchObject([{ target: 'a', inflight: 1, slots: null }]);
    claim.release(succeeded);
    expect(fabric.router.gauges().targets).toEqual([]);
  });

  it('that lowers the number of slots lets what is open end and takes nothing new', () => {
    const fabric = fabricOf(one);
    const claims = Array.from({ length: 4 }, () => take(fabric));
    const deployments = [deploymentOf('a', { maxConcurrent: 2 })];
    fabric.declared.replace(stateOf({ deployments, roles: [roleOf('chat-fast', ['a'])], revision: 2 }));
    expect(targetOf(select(fabric))).toBe('refused: no_capacity');
    for (const claim of claims.slice(0, 3)) claim.release(succeeded);
    expect(select(fabric).kind).toBe('send');
  });

  it('makes the reaper wait for the longest request that a role allows', () => {
    const day = 86_400;
    const roles = [roleOf('chat-fast', ['a'], { totalTimeoutSeconds: day })];
    const fabric = fabricOf(stateOf({ deployments: [deploymentOf('a')], roles }));
    take(fabric);
    fabric.clock.advance(day * 1_000);
    expect(inflight(fabric, 'a')).toBe(1);
    fabric.clock.advance(day * 1_000 + 120_000);
    expect(fabric.router.gauges()).toMatchObject({
      reapedClaimsTotal: 1,
      targets: [{ inflight: 0, reapedTotal: 1 }],
    });
  });
});

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
    expect(fabric.router.listModels()).toEqual([
      { id: 'chat-fast', kind: 'role', task: 'chat', state: 'ready', servedBy: 'b', contextTokens: 32_768 },
      { id: 'a', kind: 'deployment', task: 'chat', state: 'ready', servedBy: 'a', contextTokens: 4_096 },
      { id: 'b', kind: 'deployment', task: 'chat', state: 'ready', servedBy: 'b', contextTokens: 32_768 },
    ]);
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

describe('a router that is closed', () => {
  it('leaves no subscription and no timer, and lets open claims end', () => {
    const fabric = fabricOf(one);
    const claim = take(fabric);
    fabric.router.close();
    fabric.router.close();
    expect(fabric.live.listeners).toBe(0);
    expect(fabric.declared.listeners).toBe(0);
    expect(fabric.clock.pendingTimers).toBe(0);
    claim.release(succeeded);
    expect(inflight(fabric, 'a')).toBe(0);
  });
});

describe('however requests, failures, hosts and declarations interleave', () => {
  it('in-flight equals open claims, and nothing is sent where it cannot be served', () => {
    const event = fc.oneof(
      { weight: 6, arbitrary: fc.constant({ kind: 'take' as const }) },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('end' as const),
          pick: fc.nat(20),
          outcome: fc.constantFrom<AttemptOutcome>(succeeded, failed, { kind: 'busy' }, { kind: 'neutral' }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('presence' as const),
          target: fc.constantFrom('a', 'b'),
          presence: fc.constantFrom('online' as const, 'late' as const, 'away' as const),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('declare' as const), state: fc.constantFrom(one, two) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(5_000) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('reading' as const),
          target: fc.constantFrom('a', 'b'),
          running: fc.option(fc.nat(10), { nil: null }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 150, size: 'max' }), fc.nat(1_000), (events, seed) => {
        const fabric = fabricOf(two, { seed });
        const open: Claim[] = [];
        const counts = (): Record<string, number> => {
          const all: Record<string, number> = {};
          for (const { target } of open) all[target] = (all[target] ?? 0) + 1;
          return all;
        };
        for (const each of events) {
          if (each.kind === 'take') {
            const decision = select(fabric);
            if (decision.kind === 'send') {
              const { name, host, maxConcurrent } = decision.deployment;
              expect(fabric.live.host(host)?.presence).toBe('online');
              expect(counts()[name] ?? 0).toBeLessThan(maxConcurrent);
            }
            if (decision.kind !== 'refuse') {
              const claim = fabric.router.claim(decision);
              // Nothing came in between.
              expect(claim).not.toBeNull();
              if (claim) open.push(claim);
            }
          } else if (each.kind === 'end') {
            const [claim] = open.length > 0 ? open.splice(each.pick % open.length, 1) : [];
            claim?.release(each.outcome);
            claim?.release(succeeded);
          } else if (each.kind === 'presence') {
            fabric.live.setHost(`host-of-${each.target}`, { presence: each.presence });
          } else if (each.kind === 'declare') {
            fabric.declared.replace(each.state);
          } else if (each.kind === 'wait') {
            fabric.clock.advance(each.ms);
          } else {
            fabric.live.setReading(each.target, readingOf({ running: each.running }), fabric.clock.nowMs());
          }
          const seen = fabric.router.gauges().targets.filter((gauge) => gauge.inflight > 0);
          expect(Object.fromEntries(seen.map(({ target, inflight: held }) => [target, held]))).toEqual(
            counts(),
          );
        }
      }),
      { seed: 101, numRuns: 120 },
    );
  });
});

describe('the settings', () => {
  it('remember our own count for long enough to explain a late report of a lagging gauge', () => {
    const { historyStepMs, historySteps } = defaultRouterSettings.ledger;
    const { gaugeLagMs } = defaultRouterSettings.external;
    // A report is at most as late as a host may be silent before it is late itself.
    expect(historyStepMs * historySteps).toBeGreaterThanOrEqual(gaugeLagMs + 12_000);
  });
});
