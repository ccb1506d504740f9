import { describe, expect, it } from 'vitest';
import { buildDeployment } from '../declared/decide/build-deployment.js';
import type { DeclaredDeployment } from '../declared/declared-state.js';
import { deploymentEntrySchema } from '../declared/deployment-entry-schema.js';
import { defaultRouterSettings } from './router-settings.js';
import { type FakeFabric, fabricOf } from './testing/fake-fabric.js';
import { HeldClient, oneSlot, settled } from './testing/held-client.js';
import { flightOf, powerOf } from './testing/power-fixtures.js';
import { requestOf, roleOf, stateOf } from './testing/router-fixtures.js';
import { breaker, failed, inflight, resolved, succeeded } from './testing/router-moves.js';

const heldOf = ({ router }: FakeFabric): number =>
  router.gauges().held.reduce((sum, { count }) => sum + count, 0);

describe('a request that is held', () => {
  it('goes as soon as a slot is released, and not inside the release', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new HeldClient(fabric);
    const second = new HeldClient(fabric);
    expect([first.came, second.came]).toEqual(['served', 'held']);
    first.claim?.release(succeeded);
    expect(second.came).toBe('held');
    await settled();
    expect(second.came).toBe('served');
    expect(inflight(fabric, 'a')).toBe(1);
    expect(heldOf(fabric)).toBe(0);
  });

  it('one offer that finds nothing ends the round: the others are not asked', async () => {
    const fabric = fabricOf(oneSlot);
    const first = new HeldClient(fabric);
    const waiting = ['one', 'two', 'three'].map((key) => new HeldClient(fabric, key));
    first.claim?.release(succeeded);
    await settled();
    expect(waiting.map(({ looks }) => looks)).toEqual([2, 2, 1]);
  });

  it('goes when its replica has become ready', async () => {
    const fabric = fabricOf(oneSlot);
    fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
    const client = new HeldClient(fabric);
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
    const client = new HeldClient(fabric);
    change(fabric);
    await settled();
    expect(client.came).toBe(`refused: ${code}`);
    expect(heldOf(fabric)).toBe(0);
  });

  it('is told when its patience is over, and is not held any more', async () => {
    const fabric = fabricOf(oneSlot);
    fabric.live.setStatus('a', 'host-of-a', { phase: 'loading' });
    const client = new HeldClient(fabric);
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
    const first = new HeldClient(fabric);
    first.claim?.release({ kind: 'busy' });
    const client = new HeldClient(fabric);
    expect(client.came).toBe('held');
    fabric.clock.advance(600);
    await settled();
    expect(client.came).toBe('served');
  });

  it('is held while a replica that failed may be restarting, and refused where it stays so', async () => {
    const fabric = fabricOf(oneSlot);
    for (let attempt = 0; attempt < 3; attempt += 1) new HeldClient(fabric).claim?.release(failed);
    const client = new HeldClient(fabric, 'notes', new Set(['a']));
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
      const client = new HeldClient(fabric);
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
      const client = new HeldClient(fabric);
      expect(client.came).toBe('held');
      fabric.clock.advance(1_100);
      await settled();
      expect(client.came).toBe('refused: not_ready');
      expect(new HeldClient(fabric).came).toBe('refused: not_ready');
    });

    it('counts the gap from when its host has a link, without which there is no tunnel', async () => {
      const fabric = open();
      fabric.live.setHost('motoko', { tunnelUp: false, presence: 'away' });
      fabric.clock.advance(600_000);
      expect(new HeldClient(fabric).came).toBe('refused: host_away');
      fabric.live.setHost('motoko', { presence: 'online' });
      const client = new HeldClient(fabric);
      expect(client.came).toBe('held');
      tunnel(fabric, true);
      await settled();
      expect(client.came).toBe('served');
    });

    it('is not held against an engine that it broke with, which may be asked again when it is back', async () => {
      const fabric = open();
      for (let attempt = 0; attempt < 5; attempt += 1)
        new HeldClient(fabric).claim?.release({ kind: 'cut_off' });
      expect(breaker(fabric, 'a')).toBe('closed');
      // The stream tells of it before the tunnel does.
      const client = new HeldClient(fabric, 'notes', new Set(['a']));
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
      const client = new HeldClient(fabric);
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
      const client = new HeldClient(fabric);
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
    const first = new HeldClient(fabric);
    const gone = new HeldClient(fabric);
    const next = new HeldClient(fabric);
    gone.leave();
    gone.leave();
    first.claim?.release(succeeded);
    await settled();
    expect([gone.came, next.came]).toEqual(['held', 'served']);
  });

  it('finds the queue full beyond its bound, and a place again when one is given up', () => {
    const hold = { ...defaultRouterSettings.hold, mostPerRole: 2 };
    const fabric = fabricOf(oneSlot, { settings: { ...defaultRouterSettings, hold } });
    const clients = Array.from({ length: 4 }, () => new HeldClient(fabric));
    expect(clients.map(({ came }) => came)).toEqual(['served', 'held', 'held', 'queue full']);
    clients[1]?.leave();
    expect(new HeldClient(fabric).came).toBe('held');
  });

  it('for a host that is being woken is told no turn by how long requests took before its sleep', () => {
    const fabric = fabricOf(oneSlot);
    const first = new HeldClient(fabric);
    fabric.clock.advance(2_000);
    first.release(succeeded);
    const flight = flightOf({ phase: 'agent_back', askedAtMs: fabric.clock.nowMs() });
    const power = powerOf({ state: 'waking', flight });
    fabric.live.setHost('host-of-a', { power });
    const held = new HeldClient(fabric);
    expect(held.came).toBe('held');
    expect(held.outlook).toEqual({ position: 1, etaMs: null, retryAfterSeconds: null });
  });
});
