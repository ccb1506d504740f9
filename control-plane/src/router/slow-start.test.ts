import { emptyEngineReading } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { watchReady } from './ready-watch.js';
import type { Claim, RouteRequest } from './route-types.js';
import { type FakeFabric, FakeLive, fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, providerOf, requestOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { failed, inflight, resolved, select, succeeded, take, targetOf } from './testing/router-moves.js';

const eight = stateOf({
  deployments: [deploymentOf('a', { maxConcurrent: 8 })],
  roles: [roleOf('chat-fast', ['a'])],
});

function takeAll(fabric: FakeFabric): Claim[] {
  const claims: Claim[] = [];
  for (;;) {
    const request = requestOf({ resolved: resolved(fabric) });
    const decision = fabric.router.select(request);
    const claim = decision.kind === 'send' ? fabric.router.claim(decision, request) : null;
    if (claim === null) return claims;
    claims.push(claim);
  }
}

function wake(fabric: FakeFabric): void {
  fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
  fabric.live.setStatus('a', 'host-of-a', { phase: 'ready' });
}

describe('a replica that has become ready', () => {
  it('gets one request, then two, then four, then all', () => {
    const fabric = fabricOf(eight);
    wake(fabric);
    const open: number[] = [];
    const claims = takeAll(fabric);
    for (let round = 0; round < 4; round += 1) {
      open.push(claims.length);
      claims.pop()?.release(succeeded);
      claims.push(...takeAll(fabric));
    }
    expect(open).toEqual([1, 2, 4, 8]);
  });

  it('gets twice as many with the first byte of each answer, and nothing more with its end', () => {
    const fabric = fabricOf(eight);
    wake(fabric);
    const [first] = takeAll(fabric);
    first?.answered();
    first?.answered();
    expect(takeAll(fabric)).toHaveLength(1);
    first?.release(succeeded);
    const [second] = takeAll(fabric);
    expect(inflight(fabric, 'a')).toBe(2);
    second?.answered();
    expect(takeAll(fabric)).toHaveLength(2);
  });

  it('starts slowly too where it was loading when the router came up', () => {
    const live = new FakeLive();
    live.setHost('host-of-a', { presence: 'online' });
    live.setStatus('a', 'host-of-a', { phase: 'loading' });
    const woken: [string, boolean][] = [];
    watchReady(live, (deployment, wasDown) => void woken.push([deployment, wasDown]));
    live.setStatus('a', 'host-of-a', { phase: 'ready' });
    expect(woken).toEqual([['a', true]]);
  });

  it('that fails starts over with fewer, and says why it is full', () => {
    const fabric = fabricOf(eight);
    wake(fabric);
    takeAll(fabric)[0]?.release(succeeded);
    const [one, other] = takeAll(fabric);
    expect(inflight(fabric, 'a')).toBe(2);
    one?.release(failed);
    expect(takeAll(fabric)).toHaveLength(0);
    const refusal = fabric.router.select(requestOf({ resolved: resolved(fabric) }));
    expect(refusal).toMatchObject({ kind: 'refuse', code: 'no_capacity' });
    expect(refusal).toMatchObject({ detail: expect.stringContaining('takes 1 at a time') });
    other?.release(succeeded);
  });

  it('and that others run is not taken for cold: idle, it is preferred to a busy one', () => {
    const fabric = fabricOf(
      stateOf({
        deployments: [deploymentOf('a'), deploymentOf('b')],
        roles: [roleOf('chat-fast', ['a', 'b'])],
      }),
    );
    wake(fabric);
    const reading = { ...emptyEngineReading, running: 5, waiting: 0, kvUsageRatio: 0.5 };
    fabric.live.setReading('b', reading, fabric.clock.nowMs());
    const decision = fabric.router.select(requestOf({ resolved: resolved(fabric) }));
    expect(decision).toMatchObject({ kind: 'send', deployment: { name: 'a' } });
  });

  it('of a host that came back from away starts slowly too', () => {
    const fabric = fabricOf(eight);
    fabric.live.setHost('host-of-a', { presence: 'away' });
    fabric.live.setHost('host-of-a', { presence: 'online' });
    expect(takeAll(fabric)).toHaveLength(1);
  });

  it('and that was only late does not, nor one that was ready before we looked', () => {
    const fabric = fabricOf(eight);
    fabric.live.setHost('host-of-a', { presence: 'late' });
    fabric.live.setHost('host-of-a', { presence: 'online' });
    expect(takeAll(fabric)).toHaveLength(8);
  });

  it('is not held back where it is only heard of for the first time', () => {
    const fabric = fabricOf(eight);
    fabric.live.removeReplica('a');
    fabric.live.setStatus('a', 'host-of-a', { phase: 'ready' });
    expect(takeAll(fabric)).toHaveLength(8);
  });

  it('keeps its pace over a change of the declared state', () => {
    const fabric = fabricOf(eight);
    wake(fabric);
    fabric.declared.replace({ ...eight, revision: 2 });
    expect(takeAll(fabric)).toHaveLength(1);
  });

  it('never has more than it may, however requests end', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('take', 'good', 'bad', 'wake'), { maxLength: 60 }), (moves) => {
        const fabric = fabricOf(eight);
        wake(fabric);
        const open: Claim[] = [];
        let most = 1;
        for (const move of moves) {
          if (move === 'wake') {
            wake(fabric);
            most = 1;
          } else if (move === 'take') {
            const before = open.length;
            open.push(...takeAll(fabric));
            if (open.length > before) expect(open.length).toBeLessThanOrEqual(most);
          } else {
            const claim = open.pop();
            claim?.release(move === 'good' ? succeeded : failed);
            if (claim !== undefined) most = move === 'good' ? most * 2 : Math.max(1, Math.floor(most / 2));
            if (most >= 8) most = Number.POSITIVE_INFINITY;
          }
        }
      }),
    );
  });
});

describe('the last slot of a replica that starts slowly', () => {
  const pair = stateOf({
    deployments: [deploymentOf('a', { maxConcurrent: 8 }), deploymentOf('b', { maxConcurrent: 1 })],
    roles: [roleOf('chat-fast', ['a', 'b'])],
  });
  const asking = (streams: boolean, more: Partial<RouteRequest> = {}): Partial<RouteRequest> => ({
    mayWait: true,
    hints: { key: 'notes', promptBytes: 100, streams, choices: 1 },
    ...more,
  });
  const whole = asking(false);
  const stream = asking(true);

  /** `a` has just become ready; `b` serves, and is full. */
  function woken(): FakeFabric {
    const fabric = fabricOf(pair);
    take(fabric, { onlyTarget: 'b' });
    wake(fabric);
    return fabric;
  }

  it('is kept for a request that streams: what does not waits for the others', () => {
    const fabric = woken();
    const decision = select(fabric, whole);
    expect(decision).toMatchObject({ kind: 'wait', reason: 'full', waitsFor: ['b'], lookAgainInMs: 2_000 });
    expect(decision.considered).toMatchObject([{ verdict: 'full' }, { verdict: 'full' }]);
    expect(targetOf(select(fabric, stream))).toBe('a');
  });

  it('is kept again after each step, and no other slot is', () => {
    const fabric = woken();
    take(fabric, stream).answered();
    expect(targetOf(select(fabric, whole))).toBe('waits for b');
    take(fabric, stream).answered();
    expect(inflight(fabric, 'a')).toBe(2);
    expect(take(fabric, whole).target).toBe('a');
    expect(targetOf(select(fabric, whole))).toBe('waits for b');
  });

  it('is anybody’s where no stream came for two seconds', () => {
    const fabric = woken();
    fabric.clock.advance(1_999);
    expect(targetOf(select(fabric, whole))).toBe('waits for b');
    fabric.clock.advance(1);
    expect(targetOf(select(fabric, whole))).toBe('a');
  });

  it('is anybody’s where nobody else serves', () => {
    const fabric = woken();
    fabric.live.setStatus('b', 'host-of-b', { phase: 'loading' });
    expect(targetOf(select(fabric, whole))).toBe('a');
  });

  it('is anybody’s who may not wait, and embeddings’, which are short', () => {
    const fabric = woken();
    expect(targetOf(select(fabric, asking(false, { mayWait: false })))).toBe('a');
    const more = { task: 'embeddings' as const };
    const vectors = fabricOf(
      stateOf({
        deployments: [
          deploymentOf('a', { maxConcurrent: 8, ...more }),
          deploymentOf('b', { maxConcurrent: 1, ...more }),
        ],
        roles: [roleOf('chat-fast', ['a', 'b'], more)],
      }),
    );
    take(vectors, { ...more, onlyTarget: 'b' });
    wake(vectors);
    const decision = select(vectors, asking(false, more));
    expect(targetOf(decision)).toBe('a');
  });

  it('is waited for as a full one is, in front of the cloud too', () => {
    const fabric = fabricOf(
      stateOf({
        deployments: [...pair.deployments.values()],
        providers: [providerOf('openai', { cheap: {} })],
        roles: [roleOf('chat-fast', ['a', 'b', 'openai/cheap'])],
      }),
    );
    take(fabric, { onlyTarget: 'b' });
    wake(fabric);
    expect(targetOf(select(fabric, whole))).toBe('waits for b');
    expect(targetOf(select(fabric, stream))).toBe('a');
  });

  it('is told in a refusal', () => {
    const fabric = woken();
    take(fabric, stream);
    const refusal = select(fabric, asking(false, { mayWait: false }));
    expect(refusal).toMatchObject({ detail: expect.stringContaining('takes 1 at a time') });
    const wait = select(woken(), whole);
    expect(wait).toMatchObject({
      detail: expect.stringContaining('a: has just become ready, and takes one that streams next'),
    });
  });
});
