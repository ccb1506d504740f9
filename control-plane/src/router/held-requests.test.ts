import { describe, expect, it } from 'vitest';
import { buildDeployment } from '../declared/decide/build-deployment.js';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import { deploymentEntrySchema } from '../declared/fabric-schema.js';
import type { RequestClass } from '../declared/request-class.js';
import type { Claim, HeldRequest, QueueOutlook, RouteRequest, WaitDecision } from './route-types.js';
import { defaultRouterSettings } from './router-settings.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { deploymentOf, requestOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { breaker, failed, inflight, resolved, succeeded } from './testing/router-moves.js';

const oneSlot = stateOf({
  deployments: [deploymentOf('a', { maxConcurrent: 1 })],
  roles: [roleOf('chat-fast', ['a'])],
});

/** A request as the gateway makes one: selects, claims, waits, goes. */
class Client implements HeldRequest {
  readonly role = 'chat-fast';
  readonly requestClass: RequestClass;
  readonly bytes = 100;
  readonly patienceEndsAtMs: number;
  claim: Claim | null = null;
  came = 'nothing yet';
  looks = 0;
  outlook: QueueOutlook | null = null;
  readonly #fabric: FakeFabric;
  readonly key: string;
  readonly #excluded: ReadonlySet<string>;
  leave: () => void = () => undefined;

  constructor(
    fabric: FakeFabric,
    key = 'notes',
    excluded: ReadonlySet<string> = new Set(),
    requestClass: RequestClass = 'normal',
  ) {
    this.#fabric = fabric;
    this.key = key;
    this.requestClass = requestClass;
    this.#excluded = excluded;
    this.patienceEndsAtMs = fabric.clock.monotonicMs() + 50_000;
    const wait = this.lookAgain();
    if (wait === null) return;
    const ticket = fabric.router.hold(this, wait);
    this.came = ticket === null ? 'queue full' : 'held';
    if (ticket === null) return;
    this.leave = () => ticket.leave();
    this.outlook = ticket.outlook();
  }

  lookAgain(): WaitDecision | null {
    this.looks += 1;
    const { requestClass } = this;
    const more: Partial<RouteRequest> = { mayWait: true, excluded: this.#excluded, requestClass };
    const request = requestOf({ resolved: resolved(this.#fabric), ...more });
    const decision = this.#fabric.router.select(request);
    if (decision.kind === 'wait') return decision;
    // As the gateway does: who has something to do is no more in the queue.
    this.leave();
    this.came = decision.kind === 'refuse' ? `refused: ${decision.code}` : 'served';
    if (decision.kind !== 'refuse') this.claim = this.#fabric.router.claim(decision, request);
    return null;
  }

  patienceOver(outlook: QueueOutlook): void {
    this.came = 'patience over';
    this.outlook = outlook;
  }

  displaced(outlook: QueueOutlook): void {
    this.came = 'displaced';
    this.outlook = outlook;
  }
}

/** Those who wait look again in a microtask. */
const settled = (): Promise<void> => Promise.resolve();
const heldOf = ({ router }: FakeFabric): number =>
  router.gauges().held.reduce((sum, { count }) => sum + count, 0);

/** Serves one after the other, as a replica does that takes one at a time. @returns who was served, in order */
async function serveAll<Kind>(
  serving: Client,
  waiting: readonly Client[],
  tell: (client: Client) => Kind,
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

describe('a request that is held', () => {
  it('goes as soon as a slot is released, and not inside the release', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new Client(fabric);
    const second = new Client(fabric);
    expect([first.came, second.came]).toEqual(['served', 'held']);
    first.claim?.release(succeeded);
    expect(second.came).toBe('held');
    await settled();
    expect(second.came).toBe('served');
    expect(inflight(fabric, 'a')).toBe(1);
    expect(heldOf(fabric)).toBe(0);
  });

  it('keys take turns at the slot that is released', async () => {
    const fabric = fabricOf(oneSlot);
    const serving = new Client(fabric);
    const waiting = ['greedy', 'greedy', 'greedy', 'modest'].map((key) => new Client(fabric, key));
    expect(await serveAll(serving, waiting, ({ key }) => key)).toEqual([
      ...['greedy', 'modest', 'greedy', 'greedy'],
    ]);
  });

  it('classes take turns by their weights, and the least urgent has one too', async () => {
    const fabric = fabricOf(oneSlot);
    const serving = new Client(fabric);
    const classes = [
      ...Array<RequestClass>(20).fill('batch'),
      ...Array<RequestClass>(20).fill('interactive'),
    ];
    const waiting = classes.map((each) => new Client(fabric, 'notes', new Set(), each));
    const held = fabric.router.gauges().held.map(({ requestClass, count }) => `${requestClass} ${count}`);
    expect(held).toEqual(['interactive 20', 'batch 20']);
    const order = await serveAll(serving, waiting, ({ requestClass }) => requestClass);
    expect(order.slice(0, 9)).toEqual([...Array<RequestClass>(8).fill('interactive'), 'batch']);
    expect(order.slice(18)).toEqual([
      ...Array<RequestClass>(4).fill('interactive'),
      ...Array<RequestClass>(18).fill('batch'),
    ]);
  });

  it('one offer that finds nothing ends the round: the others are not asked', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new Client(fabric);
    const waiting = ['one', 'two', 'three'].map((key) => new Client(fabric, key));
    first.claim?.release(succeeded);
    await settled();
    expect(waiting.map(({ looks }) => looks)).toEqual([2, 2, 1]);
  });

  it('goes when its replica has become ready', async () => {
    const fabric = fabricOf(oneSlot);
    fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
    const client = new Client(fabric);
    expect(client.came).toBe('held');
    fabric.live.setStatus('a', 'host-of-a', { phase: 'ready' });
    await settled();
    expect(client.came).toBe('served');
  });

  it.each([
    {
      what: 'failed',
      change: (fabric: FakeFabric) => fabric.live.setStatus('a', 'host-of-a', { phase: 'failed' }),
      code: 'not_ready',
    },
    {
      what: 'went with its host',
      change: (fabric: FakeFabric) => fabric.live.setHost('host-of-a', { presence: 'away' }),
      code: 'host_away',
    },
    {
      what: 'is no longer declared',
      change: (fabric: FakeFabric) =>
        fabric.declared.replace(stateOf({ revision: 2, roles: [roleOf('chat-fast', [])] })),
      code: 'not_ready',
    },
  ])('is refused at once when its replica $what', async ({ change, code }) => {
    const fabric = fabricOf(oneSlot);
    fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
    const client = new Client(fabric);
    change(fabric);
    await settled();
    expect(client.came).toBe(`refused: ${code}`);
    expect(heldOf(fabric)).toBe(0);
  });

  it('is told when its patience is over, and is not held any more', async () => {
    const fabric = fabricOf(oneSlot);
    fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
    const client = new Client(fabric);
    fabric.clock.advance(49_999);
    expect(client.came).toBe('held');
    fabric.clock.advance(1);
    expect(client.came).toBe('patience over');
    fabric.live.setStatus('a', 'host-of-a', { phase: 'ready' });
    await settled();
    expect(client.came).toBe('patience over');
  });

  it('looks again by itself once an engine that said it is full may be asked again', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new Client(fabric);
    first.claim?.release({ kind: 'busy' });
    const client = new Client(fabric);
    expect(client.came).toBe('held');
    fabric.clock.advance(600);
    await settled();
    expect(client.came).toBe('served');
  });

  it('is held while a replica that failed may be restarting, and refused where it stays so', async () => {
    const fabric = fabricOf(oneSlot);
    for (let attempt = 0; attempt < 3; attempt += 1) new Client(fabric).claim?.release(failed);
    const client = new Client(fabric, 'notes', new Set(['a']));
    expect(client.came).toBe('held');
    for (let second = 0; second < 11; second += 1) {
      fabric.clock.advance(1_000);
      await settled();
    }
    expect(client.came).toMatch(/^refused/);
  });

  describe('behind a tunnel', () => {
    const entry = deploymentEntrySchema.parse({
      ...{ engine: 'vllm', host: 'motoko', task: 'chat', model: 'Qwen/Qwen2.5-3B-Instruct' },
    });
    const tunnelled = stateOf({
      deployments: [buildDeployment('a', entry) as DeclaredDeployment],
      roles: [roleOf('chat-fast', ['a'])],
    });
    const tunnel = (fabric: FakeFabric, tunnelUp: boolean) => fabric.live.setHost('motoko', { tunnelUp });
    const open = (): FakeFabric => {
      const fabric = fabricOf(tunnelled);
      tunnel(fabric, true);
      return fabric;
    };

    it('goes when that is open again', async () => {
      const fabric = open();
      tunnel(fabric, false);
      const client = new Client(fabric);
      fabric.clock.advance(20_000);
      await settled();
      expect(client.came).toBe('held');
      tunnel(fabric, true);
      await settled();
      expect(client.came).toBe('served');
    });

    it('is refused where it stays closed', async () => {
      const fabric = open();
      tunnel(fabric, false);
      fabric.clock.advance(59_000);
      const client = new Client(fabric);
      expect(client.came).toBe('held');
      fabric.clock.advance(1_100);
      await settled();
      expect(client.came).toBe('refused: not_ready');
      expect(new Client(fabric).came).toBe('refused: not_ready');
    });

    it('counts the gap from when its host has a link, without which there is no tunnel', async () => {
      const fabric = open();
      fabric.live.setHost('motoko', { tunnelUp: false, presence: 'away' });
      fabric.clock.advance(600_000);
      expect(new Client(fabric).came).toBe('refused: host_away');
      fabric.live.setHost('motoko', { presence: 'online' });
      const client = new Client(fabric);
      expect(client.came).toBe('held');
      tunnel(fabric, true);
      await settled();
      expect(client.came).toBe('served');
    });

    it('is not held against an engine that it broke with, which may be asked again when it is back', async () => {
      const fabric = open();
      for (let attempt = 0; attempt < 5; attempt += 1) new Client(fabric).claim?.release({ kind: 'cut_off' });
      expect(breaker(fabric, 'a')).toBe('closed');
      // The stream tells of it before the tunnel does.
      const client = new Client(fabric, 'notes', new Set(['a']));
      expect(client.came).toBe('held');
      const before = fabric.router.comebacks('a');
      tunnel(fabric, false);
      tunnel(fabric, true);
      expect(fabric.router.comebacks('a')).toBe(before + 1);
    });
  });

  describe('reached directly', () => {
    const entry = deploymentEntrySchema.parse({
      ...{ engine: 'vllm', host: 'motoko', task: 'chat', model: 'Qwen/Qwen2.5-3B-Instruct' },
      ...{ reach: 'direct', port: 8_001 },
    });
    const direct = stateOf({
      deployments: [buildDeployment('a', entry) as DeclaredDeployment],
      roles: [roleOf('chat-fast', ['a'])],
    });
    const TOLD = { port: 8_001, directKey: 'its-key' };

    it('waits a moment for what its agent tells with its first report, and needs no tunnel', async () => {
      const fabric = fabricOf(direct);
      fabric.live.setHost('motoko', { presence: 'away' });
      fabric.live.setHost('motoko', { presence: 'online', peerAddress: '192.168.1.20' });
      const client = new Client(fabric);
      expect(client.came).toBe('held');
      fabric.live.setStatus('a', 'motoko', TOLD);
      await settled();
      expect(client.came).toBe('served');
    });

    it('is refused with the reason where that does not come', async () => {
      const fabric = fabricOf(direct);
      fabric.live.setStatus('a', 'motoko', TOLD);
      fabric.live.setHost('motoko', { presence: 'away' });
      fabric.live.setHost('motoko', { presence: 'online', peerAddress: '127.0.0.1' });
      const client = new Client(fabric);
      expect(client.came).toBe('held');
      fabric.clock.advance(5_100);
      await settled();
      expect(client.came).toBe('refused: not_ready');
      const decision = fabric.router.select(requestOf({ resolved: resolved(fabric) }));
      expect(decision).toMatchObject({
        kind: 'refuse',
        detail: expect.stringMatching(/may be a proxy; declare the deployment's "address"/),
        considered: [{ target: 'a', verdict: 'address_unknown' }],
      });
    });
  });

  it('leaves at once when its client hangs up', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new Client(fabric);
    const gone = new Client(fabric);
    const next = new Client(fabric);
    gone.leave();
    gone.leave();
    first.claim?.release(succeeded);
    await settled();
    expect([gone.came, next.came]).toEqual(['held', 'served']);
  });

  it('finds the queue full beyond its bound, and a place again when one is given up', () => {
    const hold = { ...defaultRouterSettings.hold, mostPerRole: 2 };
    const fabric = fabricOf(oneSlot, { settings: { ...defaultRouterSettings, hold } });
    const clients = Array.from({ length: 4 }, () => new Client(fabric));
    expect(clients.map(({ came }) => came)).toEqual(['served', 'held', 'held', 'queue full']);
    clients[1]?.leave();
    expect(new Client(fabric).came).toBe('held');
  });

  it('of a key with fewer takes the place of the newest of the greediest key, where the queue is full', async () => {
    const hold = { ...defaultRouterSettings.hold, mostPerRole: 4 };
    const fabric = fabricOf(oneSlot, { settings: { ...defaultRouterSettings, hold } });
    const serving = new Client(fabric, 'greedy');
    const greedy = Array.from({ length: 6 }, () => new Client(fabric, 'greedy'));
    expect(greedy.map(({ came }) => came)).toEqual([
      ...Array<string>(4).fill('held'),
      'queue full',
      'queue full',
    ]);
    const modest = new Client(fabric, 'modest');
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
    const greedy = Array.from({ length: 3 }, () => new Client(fabric, 'greedy'));
    new Client(fabric, 'modest');
    greedy[2]?.leave();
    await settled();
    expect(greedy[2]?.came).toBe('held');
  });

  it('knows its place, and from what was seen about when its turn is', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new Client(fabric);
    expect(new Client(fabric).outlook).toMatchObject({ position: 1 });
    fabric.clock.advance(10_000);
    first.claim?.release(succeeded);
    await settled();
    const waiting = ['one', 'one', 'other'].map((key) => new Client(fabric, key));
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

  it('is held as long as its client asks for, within what the role allows', () => {
    const patient = stateOf({
      deployments: [deploymentOf('a', { maxConcurrent: 1 })],
      roles: [roleOf('chat-fast', ['a'], { patienceSeconds: 5, longestPatienceSeconds: 20 })],
    });
    const fabric = fabricOf(patient);
    new Client(fabric);
    const patienceOf = (maxWaitMs: number | null) => {
      const request = requestOf({ resolved: resolved(fabric), mayWait: true, maxWaitMs });
      const decision = fabric.router.select(request);
      return decision.kind === 'wait' ? decision.patienceMs : decision.kind;
    };
    expect([null, 500, 15_000, 90_000, 0].map(patienceOf)).toEqual([5_000, 500, 15_000, 20_000, 'refuse']);
  });
});
