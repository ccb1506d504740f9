import { describe, expect, it } from 'vitest';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, readingOf, roleOf, stateOf } from './testing/router-fixtures.js';
import {
  breaker,
  failed,
  inflight,
  one,
  select,
  succeeded,
  take,
  targetOf,
  two,
} from './testing/router-moves.js';

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
