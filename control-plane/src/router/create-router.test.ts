import type { OwnerReport } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { declareHost } from '../declared/decide/declare-host.js';
import { defaultRouterSettings } from './router-settings.js';
import { fabricOf } from './testing/fake-fabric.js';
import {
  deploymentOf,
  providerOf,
  readingOf,
  requestOf,
  roleOf,
  stateOf,
} from './testing/router-fixtures.js';
import {
  failed,
  inflight,
  one,
  resolved,
  select,
  succeeded,
  take,
  targetOf,
  two,
} from './testing/router-moves.js';

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

  it('are told to come again when the first of what is under way should end', () => {
    const fabric = fabricOf(one);
    for (let round = 0; round < 20; round += 1) {
      const claim = take(fabric);
      fabric.clock.advance(40_000);
      claim.release({ kind: 'succeeded', promptTokens: 100, completionTokens: 600 });
    }
    for (let request = 0; request < 4; request += 1) take(fabric);
    fabric.clock.advance(10_000);
    const refusal = select(fabric);
    expect(refusal).toMatchObject({ code: 'no_capacity', outlook: { position: 1 } });
    const { retryAfterSeconds } = refusal as Extract<typeof refusal, { kind: 'refuse' }>;
    expect(retryAfterSeconds).toBeGreaterThan(20);
    expect(retryAfterSeconds).toBeLessThan(45);
  });

  it('pass over the card whose KV cache is fuller', () => {
    const fabric = fabricOf(two);
    const kvCapacityTokens = 1_000;
    fabric.live.setReading('a', readingOf({ kvUsageRatio: 0.9, kvCapacityTokens }), fabric.clock.nowMs());
    fabric.live.setReading('b', readingOf({ kvUsageRatio: 0.1, kvCapacityTokens }), fabric.clock.nowMs());
    for (let request = 0; request < 20; request += 1) expect(targetOf(select(fabric))).toBe('b');
  });

  it('pass over the card that others use', () => {
    const fabric = fabricOf(two);
    fabric.live.setReading('a', readingOf({ running: 8 }), fabric.clock.nowMs());
    for (let request = 0; request < 20; request += 1) expect(targetOf(select(fabric))).toBe('b');
  });
});

describe('what the live view says', () => {
  it.each([
    { when: 'away', host: { presence: 'away' as const }, code: 'host_away' },
    { when: 'late', host: { presence: 'late' as const }, code: 'host_away' },
    { when: 'unseen', host: { presence: 'unseen' as const }, code: 'host_away' },
    { when: 'draining', host: { draining: true }, code: 'not_ready' },
    { when: 'yielding', host: { owner: ownerOf('yielding') }, code: 'yielded' },
    { when: 'yielded', host: { owner: ownerOf('yielded') }, code: 'yielded' },
  ])('of a host that is $when holds from the next request on: $code', ({ host, code }) => {
    const fabric = fabricOf(one);
    expect(select(fabric).kind).toBe('send');
    fabric.live.setHost('host-of-a', host);
    expect(targetOf(select(fabric))).toBe(`refused: ${code}`);
    fabric.live.setHost('host-of-a', {
      ...{ presence: 'online', draining: false },
      owner: ownerOf('serving'),
    });
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
      hosts: new Map([['host-of-a', declareHost('host-of-a', { mayBeAway: true })]]),
    });
    fabric.live.setHost('host-of-a', { presence: 'away' });
    const decision = select(fabric);
    expect(decision).toMatchObject({ code: 'host_away', retryAfterSeconds: 60 });
    expect(decision.kind === 'refuse' && decision.detail).toContain('normal');
  });

  it.each([
    { declared: null, reported: null, takes: 1e9 },
    { declared: null, reported: 4_000, takes: 16_000 },
    { declared: 2_000, reported: null, takes: 8_000 },
    { declared: 2_000, reported: 4_000, takes: 8_000 },
    { declared: 8_000, reported: 4_000, takes: 16_000 },
  ])(
    'rules out four times the smaller of $declared declared and $reported reported tokens and no less',
    (row) => {
      const deployments = [deploymentOf('a', { contextTokens: row.declared })];
      const fabric = fabricOf(stateOf({ deployments, roles: [roleOf('chat-fast', ['a'])] }));
      fabric.live.setStatus('a', 'host-of-a', { maxModelLen: row.reported });
      expect(select(fabric, { estimatedPromptTokens: row.takes }).kind).toBe('send');
      if (row.takes < 1e9) {
        const over = select(fabric, { estimatedPromptTokens: row.takes + 1 });
        expect(over).toMatchObject({ code: 'context_too_long', retryAfterSeconds: 0 });
      }
    },
  );
});

describe('a claim', () => {
  const anything = requestOf();

  it('is lost when the last slot went in between', () => {
    const fabric = fabricOf(one);
    for (let request = 0; request < 3; request += 1) take(fabric);
    const first = select(fabric);
    const second = select(fabric);
    if (first.kind !== 'send' || second.kind !== 'send')
      throw new Error('expected two choices of the last slot');
    expect(fabric.router.claim(first, anything)).not.toBeNull();
    expect(fabric.router.claim(second, anything)).toBeNull();
    expect(inflight(fabric, 'a')).toBe(4);
  });

  it('is lost when the engine said in between that it is full', () => {
    const fabric = fabricOf(one);
    const held = take(fabric);
    const decision = select(fabric);
    held.release({ kind: 'busy' });
    expect(decision.kind === 'send' && fabric.router.claim(decision, anything)).toBeNull();
  });

  it('is lost when the breaker opened in between', () => {
    const fabric = fabricOf(one);
    const held = [take(fabric), take(fabric), take(fabric)];
    const decision = select(fabric);
    for (const claim of held) claim.release(failed);
    expect(decision.kind === 'send' && fabric.router.claim(decision, anything)).toBeNull();
    expect(inflight(fabric, 'a')).toBe(0);
  });

  it('is lost when the deployment was declared anew, or no longer is', () => {
    const fabric = fabricOf(one);
    const decision = select(fabric);
    if (decision.kind !== 'send') throw new Error('expected a replica');
    fabric.declared.replace(stateOf({ deployments: [deploymentOf('a', { url: 'http://other:9' })] }));
    expect(fabric.router.claim(decision, anything)).toBeNull();
    fabric.declared.replace(stateOf({}));
    expect(fabric.router.claim(decision, anything)).toBeNull();
  });

  it('on a provider is lost when that was declared anew', () => {
    const fabric = fabricOf(two);
    const decision = select(fabric, {}, 'openai/cheap');
    if (decision.kind !== 'cloud') throw new Error('expected a provider');
    fabric.declared.replace(stateOf({ providers: [providerOf('openai', { cheap: {} })] }));
    expect(fabric.router.claim(decision, anything)).toBeNull();
  });

  it('on a provider is never lost for want of slots', () => {
    const fabric = fabricOf(two);
    for (let request = 0; request < 500; request += 1) take(fabric, {}, 'openai/cheap');
    expect(inflight(fabric, 'openai/cheap')).toBe(500);
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

  it('is used as soon as its key is there, which is then looked for once a second at most', () => {
    const fabric = fabricOf(two);
    fabric.secrets.clear();
    expect(select(fabric, {}, 'openai/cheap').kind).toBe('refuse');
    fabric.secrets.add('PROVIDER_KEY');
    const lookups = fabric.secretLookups();
    for (let request = 0; request < 100; request += 1) {
      expect(select(fabric, {}, 'openai/cheap').kind).toBe('cloud');
    }
    expect(fabric.secretLookups() - lookups).toBe(1);
    fabric.secrets.clear();
    fabric.clock.advance(1_000);
    expect(select(fabric, {}, 'openai/cheap').kind).toBe('refuse');
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

describe('the settings', () => {
  it('remember our own count for long enough to explain a late report of a lagging gauge', () => {
    const { historyStepMs, historySteps } = defaultRouterSettings.ledger;
    const { gaugeLagMs } = defaultRouterSettings.external;
    // A report is at most as late as a host may be silent before it is late itself.
    expect(historyStepMs * historySteps).toBeGreaterThanOrEqual(gaugeLagMs + 12_000);
  });
});

function ownerOf(state: OwnerReport['state']): OwnerReport {
  return {
    ...{ state, cause: null, detail: null, stateSeconds: 0, freedSeconds: null },
    ...{ foreignVramBytes: null, foreignUtilisationRatio: null, present: null, remoteSession: null },
    processes: [],
  };
}
