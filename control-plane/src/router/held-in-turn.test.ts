import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REQUEST_CLASSES, type RequestClass } from '../declared/request-class.js';
import { defaultRouterSettings } from './router-settings.js';
import { fabricOf } from './testing/fake-fabric.js';
import { HeldClient, oneSlot, settled } from './testing/held-client.js';
import { deploymentOf, providerOf, requestOf, roleOf, stateOf, targetOf } from './testing/router-fixtures.js';
import { failed, inflight, resolved, succeeded } from './testing/router-moves.js';

/** Serves one after the other, as a replica does that takes one at a time. @returns who was served, in order */
async function serveAll<Kind>(
  serving: HeldClient,
  waiting: readonly HeldClient[],
  tell: (client: HeldClient) => Kind,
): Promise<Kind[]> {
  const left = [...waiting];
  const order: Kind[] = [];
  for (let last = serving; left.length > 0; ) {
    last.claim?.release(succeeded);
    await settled();
    const next = left.find(({ came }) => came === 'served');
    if (next === undefined) throw new Error('nobody was served');
    left.splice(left.indexOf(next), 1);
    order.push(tell(next));
    last = next;
  }
  return order;
}

describe('a request that waits among others', () => {
  it('keys take turns at the slot that is released', async () => {
    const fabric = fabricOf(oneSlot);
    const serving = new HeldClient(fabric);
    const waiting = ['greedy', 'greedy', 'greedy', 'modest'].map((key) => new HeldClient(fabric, key));
    expect(await serveAll(serving, waiting, ({ key }) => key)).toEqual([
      ...['greedy', 'modest', 'greedy', 'greedy'],
    ]);
  });

  it('classes take turns by their weights, and the least urgent has one too', async () => {
    const fabric = fabricOf(oneSlot);
    const serving = new HeldClient(fabric);
    const classes = [
      ...Array<RequestClass>(20).fill('batch'),
      ...Array<RequestClass>(20).fill('interactive'),
    ];
    const waiting = classes.map((each) => new HeldClient(fabric, 'notes', new Set(), each));
    const held = fabric.router.gauges().held.map(({ requestClass, count }) => `${requestClass} ${count}`);
    expect(held).toEqual(['interactive 20', 'batch 20']);
    const order = await serveAll(serving, waiting, ({ requestClass }) => requestClass);
    expect(order.slice(0, 9)).toEqual([...Array<RequestClass>(8).fill('interactive'), 'batch']);
    expect(order.slice(18)).toEqual([
      ...Array<RequestClass>(4).fill('interactive'),
      ...Array<RequestClass>(18).fill('batch'),
    ]);
  });

  it('of a key with fewer takes the place of the newest of the greediest key, where the queue is full', async () => {
    const hold = { ...defaultRouterSettings.hold, mostPerRole: 4 };
    const fabric = fabricOf(oneSlot, { settings: { ...defaultRouterSettings, hold } });
    const serving = new HeldClient(fabric, 'greedy');
    const greedy = Array.from({ length: 6 }, () => new HeldClient(fabric, 'greedy'));
    expect(greedy.map(({ came }) => came)).toEqual([
      ...Array<string>(4).fill('held'),
      'queue full',
      'queue full',
    ]);
    const modest = new HeldClient(fabric, 'modest');
    expect([modest.came, greedy[3]?.came]).toEqual(['held', 'held']);
    await settled();
    expect(greedy[3]).toMatchObject({ came: 'displaced', outlook: { position: 4 } });
    expect(fabric.router.gauges().displacedTotal).toBe(1);
    const order = await serveAll(serving, [...greedy.slice(0, 3), modest], ({ key }) => key);
    expect(order).toEqual(['greedy', 'modest', 'greedy', 'greedy']);
  });

  it('that hangs up when it was displaced hears nothing more', async () => {
    const hold = { ...defaultRouterSettings.hold, mostPerRole: 2 };
    const fabric = fabricOf(oneSlot, { settings: { ...defaultRouterSettings, hold } });
    const greedy = Array.from({ length: 3 }, () => new HeldClient(fabric, 'greedy'));
    new HeldClient(fabric, 'modest');
    greedy[2]?.leave();
    await settled();
    expect(greedy[2]?.came).toBe('held');
  });

  it('knows its place, and from what was seen about when its turn is', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new HeldClient(fabric);
    expect(new HeldClient(fabric).outlook).toMatchObject({ position: 1 });
    fabric.clock.advance(10_000);
    first.claim?.release(succeeded);
    await settled();
    const waiting = ['one', 'one', 'other'].map((key) => new HeldClient(fabric, key));
    expect(waiting.map(({ outlook }) => outlook?.position)).toEqual([1, 2, 2]);
    const [next = 0, second = 0] = waiting.map(({ outlook }) => outlook?.etaMs ?? 0);
    expect(next).toBeGreaterThan(0);
    expect(second - next).toBe(10_000);
    const refused = fabric.router.select(
      requestOf({
        resolved: resolved(fabric),
        hints: { key: 'third', promptBytes: 1, streams: true, choices: 1 },
      }),
    );
    expect(refused).toMatchObject({ kind: 'refuse', code: 'no_capacity', outlook: { position: 3 } });
    const { outlook, retryAfterSeconds } = refused as Extract<typeof refused, { kind: 'refuse' }>;
    expect(outlook?.etaMs).toBe(next + 20_000);
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(18);
    expect(retryAfterSeconds).toBeLessThanOrEqual(26);
  });

  it('goes to a target that is asked after a wait by what it is told of its turn', async () => {
    const cloud = targetOf('openai/cheap');
    const targets = [
      targetOf('a'),
      { ...cloud, when: { whenWaitExceeds: 20, maxContext: null, capabilities: null, localOnly: false } },
    ];
    const fabric = fabricOf(
      stateOf({
        deployments: [deploymentOf('a', { maxConcurrent: 1 })],
        providers: [providerOf('openai', { cheap: {} })],
        roles: [{ ...roleOf('chat-fast', []), targets }],
      }),
    );
    const first = new HeldClient(fabric);
    fabric.clock.advance(10_000);
    first.claim?.release(succeeded);
    await settled();
    const clients = ['one', 'one', 'one', 'one'].map((key) => new HeldClient(fabric, key));
    const told = clients.map(({ outlook }) => outlook?.etaMs ?? null);
    expect(told[0]).toBeNull();
    expect(told.slice(1, 3).every((etaMs) => etaMs !== null && etaMs < 20_000)).toBe(true);
    // One answer of some seconds and two of ten before it: more than 20.
    expect(clients.map(({ claim }) => claim?.target ?? 'held')).toEqual([
      'a',
      'held',
      'held',
      'openai/cheap',
    ]);
    // Another key takes turns with the first: before it there is one of those two.
    expect(new HeldClient(fabric, 'other').came).toBe('held');
  });

  it('is held as long as its client asks for, within what the role allows', () => {
    const patient = stateOf({
      deployments: [deploymentOf('a', { maxConcurrent: 1 })],
      roles: [roleOf('chat-fast', ['a'], { patienceSeconds: 5, longestPatienceSeconds: 20 })],
    });
    const fabric = fabricOf(patient);
    new HeldClient(fabric);
    const patienceOf = (maxWaitMs: number | null) => {
      const request = requestOf({ resolved: resolved(fabric), mayWait: true, maxWaitMs });
      const decision = fabric.router.select(request);
      return decision.kind === 'wait' ? decision.patienceMs : decision.kind;
    };
    expect([null, 500, 15_000, 90_000, 0].map(patienceOf)).toEqual([5_000, 500, 15_000, 20_000, 'refuse']);
  });
});

describe('however requests come, go, are served and displaced', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('come' as const),
        key: fc.constantFrom('one', 'two', 'three'),
        requestClass: fc.constantFrom(...REQUEST_CLASSES),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(10) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), pick: fc.nat(10) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(20_000) }) },
  );

  it('everybody is held, served or told, and nobody twice', async () => {
    const hold = { ...defaultRouterSettings.hold, mostPerRole: 5 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const fabric = fabricOf(oneSlot, { settings: { ...defaultRouterSettings, hold } });
        const clients: HeldClient[] = [];
        const left = new Set<HeldClient>();
        const of = (came: string) => clients.filter((client) => client.came === came && !left.has(client));
        const open = () => of('served').filter(({ isReleased }) => !isReleased);
        for (const each of steps) {
          if (each.kind === 'come') {
            clients.push(new HeldClient(fabric, each.key, new Set(), each.requestClass));
          } else if (each.kind === 'end') {
            open()[0]?.release(each.pick === 0 ? failed : succeeded);
          } else if (each.kind === 'leave') {
            const held = of('held');
            const gone = held[each.pick % Math.max(1, held.length)];
            if (gone !== undefined) left.add(gone);
            gone?.leave();
          } else fabric.clock.advance(each.ms);
          await settled();
          const { held } = fabric.router.gauges();
          expect(held.reduce((sum, { count }) => sum + count, 0)).toBe(of('held').length);
          expect(of('held').length).toBeLessThanOrEqual(5);
          expect(open().length).toBe(inflight(fabric, 'a'));
          expect(open().length).toBeLessThanOrEqual(1);
          expect(clients.every(({ ends }) => ends <= 1)).toBe(true);
        }
        for (let turn = 0; turn < 20; turn += 1) {
          open()[0]?.release(succeeded);
          fabric.clock.advance(600);
          await settled();
        }
        expect(of('held')).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
