import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prunePower } from './power-store.js';
import type { WakeRecord } from './power-types.js';
import { openRegistryDatabase } from './registry-database.js';
import type { Registry } from './registry-types.js';
import { TemporaryRegistry } from './testing/temporary-registry.js';

const DAY_MS = 24 * 3600 * 1000;
const NOW = 1_790_000_000_000;

let place: TemporaryRegistry;
let registry: Registry;
let hostId: string;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
  hostId = join('wintermute');
});
afterEach(() => place.remove());

function join(hostName: string): string {
  const { id, secret } = registry.tokens.create({ ttlSeconds: 60, nowMs: NOW });
  const enrolled = registry.hosts.enrol({
    ...{ tokenId: id, tokenSecret: secret, hostName, publicKey: `key-${hostName}`, nowMs: NOW },
    ...{ machineSha256: hostName, nameIsLinked: false },
  });
  if (enrolled.ok !== true) throw new Error('it was not enrolled');
  return enrolled.host.hostId;
}

function wake(wakeId: string, more: Partial<WakeRecord> = {}): WakeRecord {
  return {
    ...{ wakeId, askedAtMs: NOW, askedBy: 'request', keyId: 'k1', role: 'chat', deployment: 'deep' },
    ...{ fromState: 'suspend', outcome: 'ready', failedPhase: null, detail: null },
    ...{ phases: { agent_back: 31_000, 'model_ready:deep': 48_000 }, endedAtMs: NOW + 48_000, waiters: 2 },
    ...more,
  };
}

function save(...wakes: WakeRecord[]): void {
  for (const each of wakes) registry.power.save({ kind: 'wake', hostId, atMs: NOW, wake: each });
}

async function reopen(): Promise<void> {
  await registry.close();
  registry = place.open();
}

const settled = () => place.untilInTime(() => registry.observations.queuedCount === 0, 5);

describe('what is kept of hosts’ power', () => {
  it('is there again after a restart: sleeps, proofs and wakes', async () => {
    const power = {
      lastSleptBy: 'suspend',
      lastSleptAtMs: NOW,
      sleptByFabric: true,
      wokenAtMs: null,
      keepAwakeUntilMs: null,
      keepAwakeReason: null,
      servingWatts: 312.5,
    };
    registry.power.save({ kind: 'hostPower', hostId, atMs: NOW, power });
    registry.power.save({ kind: 'hostPower', hostId, atMs: NOW, power: { ...power, wokenAtMs: NOW + 9 } });
    registry.power.save({ kind: 'wakeProof', hostId, atMs: NOW, fromState: 'suspend', wakeId: 'w1' });
    registry.power.save({ kind: 'wakeProof', hostId, atMs: NOW, fromState: 'poweroff', wakeId: 'w2' });
    registry.power.save({
      kind: 'powerEvent',
      hostId,
      atMs: NOW,
      state: 'asleep',
      cause: 'suspend',
      detail: null,
    });
    save(wake('w1'));
    await reopen();
    const found = registry.power.load(NOW + DAY_MS);
    expect(found.hosts).toEqual([{ hostId, ...power, wokenAtMs: NOW + 9 }]);
    expect(found.proofs.map(({ fromState }) => fromState).sort()).toEqual(['poweroff', 'suspend']);
    expect(found.wakes).toEqual([{ ...wake('w1'), hostId }]);
  });

  it('of starts of engines is the latest of each, and nothing where that is said', async () => {
    const save = (deployment: string, seconds: readonly number[], toldSeconds: number | null = null) =>
      registry.power.save({
        ...{ kind: 'loadTimes', hostId, atMs: NOW, deployment },
        record: { seconds, toldSeconds },
      });
    save('deep', [40]);
    save('fast', [9], 8);
    await settled();
    save('deep', [40, 30.5]);
    await reopen();
    const loads = () => registry.power.load(NOW + 1).loads;
    expect(loads()).toEqual([
      { hostId, deployment: 'deep', seconds: [40, 30.5], toldSeconds: null },
      { hostId, deployment: 'fast', seconds: [9], toldSeconds: 8 },
    ]);
    save('deep', []);
    save('fast', [], 8);
    await settled();
    expect(loads()).toEqual([{ hostId, deployment: 'fast', seconds: [], toldSeconds: 8 }]);
    registry.hosts.remove('wintermute', NOW);
    expect(loads()).toEqual([]);
  });

  it('of a wake is the latest that was said of it', async () => {
    save(wake('w1', { outcome: null, endedAtMs: null, phases: {} }));
    await settled();
    save(wake('w1'));
    await reopen();
    expect(registry.power.load(NOW + 1).wakes).toMatchObject([{ wakeId: 'w1', outcome: 'ready' }]);
  });

  it('of a wake that a stopped process left under way is that nobody saw its end', async () => {
    save(wake('w1', { outcome: null, endedAtMs: null }));
    await reopen();
    expect(registry.power.load(NOW + 5_000).wakes).toMatchObject([
      { outcome: 'cancelled', detail: 'the control plane stopped meanwhile', endedAtMs: NOW + 5_000 },
    ]);
  });

  it('is read at the start for fifty wakes of a host, the latest first', async () => {
    save(...Array.from({ length: 60 }, (_, index) => wake(`w${index}`, { askedAtMs: NOW + index })));
    await reopen();
    const { wakes } = registry.power.load(NOW + DAY_MS);
    expect([wakes.length, wakes[0]?.wakeId, wakes.at(-1)?.wakeId]).toEqual([50, 'w59', 'w10']);
  });

  it('goes with its host, and what comes of a host that is gone is passed over', async () => {
    save(wake('w1'));
    await settled();
    registry.hosts.remove('wintermute', NOW);
    save(wake('w2'));
    const other = join('armitage');
    registry.power.save({ kind: 'wake', hostId: other, atMs: NOW, wake: wake('w3') });
    await reopen();
    expect(registry.power.load(NOW + 1).wakes.map(({ wakeId }) => wakeId)).toEqual(['w3']);
  });
});

describe('wakes', () => {
  it('are listed newest first, page by page, of one host or of all', async () => {
    save(wake('a'), wake('b'), wake('c', { askedAtMs: NOW + 1 }));
    const other = join('armitage');
    registry.power.save({ kind: 'wake', hostId: other, atMs: NOW, wake: wake('d', { askedAtMs: NOW + 2 }) });
    await settled();
    const list = async (
      host: string | null,
      limit: number,
      after: { askedAtMs: number; wakeId: string } | null,
    ) => {
      const found = await registry.reader.query('wakes', { host, limit, after });
      return found.map((each) => `${each.wakeId} ${each.host}`);
    };
    expect(await list(null, 10, null)).toEqual([
      'd armitage',
      'c wintermute',
      'b wintermute',
      'a wintermute',
    ]);
    expect(await list('wintermute', 2, null)).toEqual(['c wintermute', 'b wintermute']);
    expect(await list('wintermute', 2, { askedAtMs: NOW, wakeId: 'b' })).toEqual(['a wintermute']);
    expect(await registry.reader.query('wake', { wakeId: 'a' })).toEqual({
      ...wake('a'),
      host: 'wintermute',
    });
    expect(await registry.reader.query('wake', { wakeId: 'none' })).toBeNull();
  });

  it('and events older than four hundred days go', async () => {
    save(wake('old', { askedAtMs: NOW - 401 * DAY_MS }), wake('young'));
    for (const atMs of [NOW - 401 * DAY_MS, NOW]) {
      registry.power.save({ kind: 'powerEvent', hostId, atMs, state: 'asleep', cause: null, detail: null });
    }
    await registry.close();
    const database = openRegistryDatabase(place.file, { busyTimeoutMs: 1_000, durability: 'normal' });
    expect(database.write((queries) => prunePower(queries, NOW))).toBe(false);
    const count = (table: string) => database.raw.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect([count('wakes'), count('power_events')]).toEqual([1, 1]);
    database.close();
    registry = place.open();
    expect(registry.power.load(NOW).wakes.map(({ wakeId }) => wakeId)).toEqual(['young']);
  });
});
