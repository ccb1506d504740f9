import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeReplica, type HostInventory, type Issue } from '@ai-fabric/shared';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyObservations, pruneEvents } from './apply-observations.js';
import { openRegistryDatabase } from './registry-database.js';
import type { Observation, Registry } from './registry-types.js';
import { enrolled, TemporaryRegistry, until } from './testing/temporary-registry.js';

const inventory: HostInventory = {
  os: 'linux',
  osName: 'Debian 12',
  kernel: '6.1',
  architecture: 'x64',
  cpuModel: 'a CPU',
  cpuThreads: 8,
  memoryTotalBytes: 16e9,
  bootId: 'boot-1',
  bootedAtMs: 1,
  interfaces: [],
  gpus: [],
};
const issue: Issue = {
  code: 'no_gpu',
  subject: 'host',
  severity: 'info',
  detail: 'no NVIDIA card',
  fix: null,
};
const replica = describeReplica({
  ...{ deployment: 'qwen', phase: 'ready', engineVersion: '0.11', maxModelLen: 4096 },
});

let place: TemporaryRegistry;
let registry: Registry;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
});
afterEach(() => place.remove());

/** Until everything was written or dropped. Retries take seconds: time runs faster, but the answer's deadline is kept. */
function settled(of: Registry = registry): Promise<void> {
  return place.untilInTime(() => of.observations.queuedCount === 0, 5);
}

function enqueue(hostId: string, ...observations: readonly Record<string, unknown>[]): void {
  for (const observation of observations)
    registry.observations.enqueue({ hostId, ...observation } as Observation);
}

describe('what is seen of a host', () => {
  it('is there again after a restart', async () => {
    const { hostId } = enrolled(registry);
    enqueue(
      hostId,
      { kind: 'hostSeen', atMs: 5_000, agentVersion: '0.1.0', clockSkewMs: 12 },
      { kind: 'hostInventory', atMs: 5_000, inventory },
      { kind: 'hostIssues', atMs: 5_000, issues: [issue] },
      { kind: 'hostReplicas', atMs: 5_000, replicas: [replica] },
      { kind: 'hostEvent', atMs: 6_000, event: 'goodbye', detail: 'suspend' },
    );
    await settled();
    await place.close();
    expect(place.open().hosts.findByName('armitage')).toMatchObject({
      lastSeenMs: 6_000,
      lastGoodbyeReason: 'suspend',
      agentVersion: '0.1.0',
      clockSkewMs: 12,
      inventory,
      lastIssues: [issue],
      lastReplicas: [replica],
    });
  });

  it('is written though the control plane stops right after it was told', async () => {
    const { hostId } = enrolled(registry);
    enqueue(hostId, { kind: 'hostEvent', atMs: 6_000, event: 'goodbye', detail: 'shutdown' });
    await place.close();
    expect(place.open().hosts.findByName('armitage')).toMatchObject({ lastGoodbyeReason: 'shutdown' });
  });

  it('is passed over for a host that is not there, without harm to the others', async () => {
    const { hostId } = enrolled(registry);
    enqueue('gone', { kind: 'hostSeen', atMs: 5_000, agentVersion: null, clockSkewMs: null });
    enqueue(hostId, { kind: 'hostSeen', atMs: 5_000, agentVersion: null, clockSkewMs: null });
    await settled();
    expect(registry.observations.droppedCount).toBe(0);
    expect(registry.hosts.findByName('armitage')).toMatchObject({ lastSeenMs: 5_000 });
  });

  it('that an older program wrote in another form counts as not seen', async () => {
    const { hostId } = enrolled(registry);
    enqueue(hostId, { kind: 'hostInventory', atMs: 5_000, inventory });
    await settled();
    const raw = new Database(place.file);
    raw.exec(`UPDATE host_observations SET inventory = '{"os":"beos"}', issues = '{'`);
    raw.close();
    expect(registry.hosts.list()).toMatchObject([{ inventory: null, lastIssues: [], lastSeenMs: 5_000 }]);
  });
});

describe('the observation writer on a real file', () => {
  it('drops what it cannot write while another program locks the file, then goes on', async () => {
    const { hostId } = enrolled(registry);
    const other = new Database(place.file);
    other.exec('BEGIN IMMEDIATE');
    enqueue(hostId, { kind: 'hostSeen', atMs: 5_000, agentVersion: null, clockSkewMs: null });
    // The worker waits for real; the answer's deadline is on the clock, which must not run ahead of it.
    place.clock.advance(250);
    await until(() => registry.observations.queuedCount === 1);
    other.exec('ROLLBACK');
    other.close();
    await settled();
    expect(registry.observations.droppedCount).toBe(0);
    expect(registry.hosts.findByName('armitage')).toMatchObject({ lastSeenMs: 5_000 });
  });

  it('counts what it loses when its worker cannot start, and nothing else breaks', async () => {
    await place.close();
    const broken = place.open({ workerUrl: pathToFileURL(join(place.parent, 'none.js')) });
    const { hostId } = enrolled(broken);
    broken.observations.enqueue({ kind: 'hostEvent', hostId, atMs: 1, event: 'linked', detail: null });
    await settled(broken);
    expect(broken.observations.droppedCount).toBe(1);
    expect(broken.hosts.list()).toHaveLength(1);
  });

  it('drops and counts on a full disk, and writes again when there is room', async (context) => {
    const mount = join(place.parent, 'small');
    mkdirSync(mount);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
    if (mounted.status !== 0) context.skip('mounting a small file system needs root on Linux');
    try {
      const small = place.open({ dataDirectory: mount });
      const { hostId } = enrolled(small);
      const filler = join(mount, 'filler');
      fillUp(filler);
      const event = (atMs: number): Observation => {
        return { kind: 'hostEvent', hostId, atMs, event: 'goodbye', detail: 'x'.repeat(20_000) };
      };
      for (let atMs = 0; atMs < 50; atMs += 1) small.observations.enqueue(event(atMs));
      await settled(small);
      expect(small.observations.droppedCount).toBe(50);
      expect(small.hosts.list()).toMatchObject([{ lastGoodbyeReason: null }]);
      rmSync(filler);
      small.observations.enqueue({
        kind: 'hostEvent',
        hostId,
        atMs: 99,
        event: 'goodbye',
        detail: 'suspend',
      });
      await settled(small);
      expect(small.hosts.list()).toMatchObject([{ lastGoodbyeReason: 'suspend' }]);
      await place.close();
    } finally {
      spawnSync('umount', ['-l', mount]);
    }
  });
});

function fillUp(file: string): void {
  try {
    for (let bytes = 0; bytes < 2 ** 20; bytes += 4096)
      writeFileSync(file, Buffer.alloc(4096), { flag: 'a' });
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

describe('old events', () => {
  it('are forgotten by age and by number, a chunk at a time, oldest first', async () => {
    const { hostId } = enrolled(registry);
    await place.close();
    const database = openRegistryDatabase(place.file, { busyTimeoutMs: 250, durability: 'normal' });
    const dayMs = 24 * 3600 * 1000;
    const events = Array.from({ length: 1_200 }, (_, index) => {
      return {
        kind: 'hostEvent' as const,
        hostId,
        atMs: index < 700 ? 0 : 80 * dayMs,
        event: 'late' as const,
        detail: null,
      };
    });
    database.raw.exec('DELETE FROM host_events; DELETE FROM sqlite_sequence');
    database.write((queries) => applyObservations(queries, events));
    const prune = (nowMs: number) => database.write((queries) => pruneEvents(queries, nowMs));
    const count = database.raw.prepare('SELECT count(*) FROM host_events').pluck();
    expect([prune(100 * dayMs), count.get()]).toEqual([true, 700]);
    expect([prune(100 * dayMs), count.get()]).toEqual([false, 500]);
    expect([prune(100 * dayMs), count.get()]).toEqual([false, 500]);
    database.raw.exec('UPDATE host_events SET id = id + 50000 WHERE id = 1200');
    expect([prune(100 * dayMs), count.get()]).toEqual([false, 1]);
    database.close();
  });
});
