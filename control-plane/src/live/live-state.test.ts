import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HostReport, KnownHost } from './live-report.js';
import { LiveState } from './live-state.js';
import type { LiveChange } from './live-view.js';
import { declaredOf, inventory, sampleOf, statusOf } from './testing/live-fixtures.js';

let clock: ManualClock;
let live: LiveState;
let changes: LiveChange[];
let logged: string[];

beforeEach(() => {
  clock = new ManualClock();
  logged = [];
  live = new LiveState({ clock, log: pino({ level: 'debug' }, { write: (line) => logged.push(line) }) });
  changes = [];
  live.onChange((change) => changes.push(change));
});

const motoko = {
  hostId: 'h1',
  name: 'motoko',
  agentVersion: '0.1.0',
  peerAddress: '192.0.2.7',
  draining: false,
} as const;

const known: KnownHost = {
  hostId: 'h1',
  name: 'motoko',
  draining: true,
  revokedAtMs: null,
  lastSeenMs: 1_600_000_000_000,
  lastGoodbyeReason: 'suspend',
  agentVersion: '0.0.9',
  clockSkewMs: 12,
  inventory,
  lastIssues: [{ code: 'no_gpu', subject: 'host', severity: 'info', detail: 'none', fix: null }],
  lastReplicas: [statusOf('chat'), statusOf('elsewhere')],
};

function report(more: Partial<HostReport> = {}): number {
  return live.takeReport('motoko', { clockSkewMs: 5, samples: [], ...more });
}

const samplesAt = (...times: readonly number[]) =>
  times.map((atMs) => ({ sample: sampleOf(atMs), backfilled: false }));
const kinds = () => changes.map(({ kind }) => kind);

function linkMotoko(): void {
  live.applyDeclared(declaredOf({ motoko: ['chat', 'embed'], armitage: ['deep'] }));
  live.hostLinked(motoko);
  changes = [];
}

describe('replicas that are reported and not declared on their host', () => {
  it('are known by name alone, until they are declared there or reported no more', () => {
    linkMotoko();
    report({ replicas: [statusOf('chat'), statusOf('deep'), statusOf('old')] });
    expect(live.undeclaredReplicas('motoko')).toEqual(['deep', 'old']);
    expect(live.replica('old')).toBeUndefined();
    live.applyDeclared(declaredOf({ motoko: ['old'], armitage: ['deep'] }));
    expect(live.undeclaredReplicas('motoko')).toEqual(['chat', 'deep']);
    report({ replicas: [statusOf('old')] });
    expect(live.undeclaredReplicas('motoko')).toEqual([]);
    expect(live.undeclaredReplicas('nobody')).toEqual([]);
  });
});

describe('hosts', () => {
  it('that are declared are unseen until they link', () => {
    live.applyDeclared(declaredOf({ motoko: [], armitage: [] }));
    expect([...live.hosts()].map(({ name, presence }) => `${name} ${presence}`)).toEqual([
      'motoko unseen',
      'armitage unseen',
    ]);
    live.hostLinked(motoko);
    expect(live.host('motoko')).toMatchObject({ presence: 'online', hostId: 'h1', peerAddress: '192.0.2.7' });
    expect(kinds()).toEqual(['host', 'host', 'host']);
  });

  it('that are neither declared nor enrolled any more are gone', () => {
    live.applyDeclared(declaredOf({ motoko: [], armitage: [] }));
    live.hostLinked(motoko);
    live.applyDeclared(declaredOf({}));
    expect([...live.hosts()].map(({ name }) => name)).toEqual(['motoko']);
    expect(changes.at(-1)).toEqual({ kind: 'hostRemoved', name: 'armitage' });
  });

  it('are shown after a restart as they were last known, away', () => {
    live.seed([known], declaredOf({ motoko: ['chat'] }));
    expect(live.host('motoko')).toMatchObject({
      presence: 'away',
      presenceSinceMs: 1_600_000_000_000,
      goodbyeReason: 'suspend',
      draining: true,
      agentVersion: '0.0.9',
      inventory,
      issues: known.lastIssues,
      sample: null,
    });
    expect([...live.replicas()].map(({ deployment, host }) => `${deployment} on ${host}`)).toEqual([
      'chat on motoko',
    ]);
    live.tick();
    expect(live.host('motoko')?.presence).toBe('away');
  });

  it('grow late, then away, and tell both once', () => {
    linkMotoko();
    clock.advance(12_000);
    expect(live.tick()).toEqual([{ name: 'motoko', hostId: 'h1', presence: 'late' }]);
    expect(live.tick()).toEqual([]);
    clock.advance(18_000);
    expect(live.tick()).toEqual([{ name: 'motoko', hostId: 'h1', presence: 'away' }]);
    expect(kinds()).toEqual(['host', 'host']);
  });

  it('stay online with any sign of life, without an event for each', () => {
    linkMotoko();
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      live.heardFrom('motoko');
      live.tick();
    }
    expect(live.host('motoko')).toMatchObject({ presence: 'online', lastSeenMs: clock.nowMs() });
    expect(changes).toEqual([]);
  });

  it('keep the reason that they gave until they link again', () => {
    linkMotoko();
    live.hostUnlinked('motoko', true, 'shutdown');
    expect(live.host('motoko')).toMatchObject({ presence: 'away', goodbyeReason: 'shutdown' });
    live.hostLinked(motoko);
    expect(live.host('motoko')).toMatchObject({ presence: 'online', goodbyeReason: null });
  });

  it('drain and undrain, telling each once', () => {
    linkMotoko();
    live.setDraining('motoko', true);
    live.setDraining('motoko', true);
    live.setDraining('unknown', true);
    expect(kinds()).toEqual(['host']);
    expect(live.host('motoko')?.draining).toBe(true);
  });

  it('that nobody knows change nothing', () => {
    expect(live.takeReport('nobody', { clockSkewMs: 0, samples: samplesAt(1) })).toBe(0);
    live.heardFrom('nobody');
    live.hostUnlinked('nobody', true, null);
    live.clearIssue('nobody', 'no_gpu');
    expect([...live.hosts()]).toEqual([]);
    expect(live.history('nobody', 0, 1e15)).toEqual([]);
  });
});

describe('a report', () => {
  it('brings inventory, issues and what was dropped, in one event', () => {
    linkMotoko();
    const issues = known.lastIssues;
    report({ inventory, issues, droppedSamples: 3 });
    expect(kinds()).toEqual(['host']);
    expect(live.host('motoko')).toMatchObject({ inventory, issues, droppedSamples: 3 });
  });

  it('with nothing new but a sample is one event', () => {
    linkMotoko();
    report();
    report({ samples: samplesAt(clock.nowMs()), issues: [], droppedSamples: 0, clockSkewMs: 900 });
    expect(kinds()).toEqual(['host', 'sample']);
    expect(live.host('motoko')?.sample?.atMs).toBe(clock.nowMs());
  });

  it('is believed only for what is declared on its host', () => {
    linkMotoko();
    const sample = sampleOf(clock.nowMs(), { chat: 1, deep: 7, made_up: 9 });
    const refused = report({
      replicas: [statusOf('chat'), statusOf('deep'), statusOf('made_up')],
      samples: [{ sample, backfilled: false }],
    });
    expect(refused).toBe(4);
    expect([...live.replicas()].map(({ deployment }) => deployment)).toEqual(['chat']);
    expect(Object.keys(live.host('motoko')?.sample?.replicas ?? {})).toEqual(['chat']);
    expect(live.history('motoko', 0, 1e15).map(({ replicas }) => Object.keys(replicas))).toEqual([['chat']]);
  });

  it('raises a clock skew beyond a minute as information, and clears it', () => {
    linkMotoko();
    report({ clockSkewMs: 3_600_000 });
    expect(live.host('motoko')?.issues).toMatchObject([{ code: 'clock_skew', severity: 'info' }]);
    expect(live.host('motoko')).toMatchObject({ presence: 'online', clockSkewMs: 3_600_000 });
    report({ clockSkewMs: 3_600_300 });
    expect(kinds()).toEqual(['host']);
    report({ clockSkewMs: 3 });
    expect(live.host('motoko')?.issues).toEqual([]);
  });

  it('leaves our own issues when the agent tells its', () => {
    linkMotoko();
    live.raiseIssue('motoko', {
      code: 'identity_in_use',
      subject: 'host',
      severity: 'error',
      detail: 'two',
      fix: null,
    });
    report({ issues: known.lastIssues });
    expect(live.host('motoko')?.issues.map(({ code }) => code)).toEqual(['identity_in_use', 'no_gpu']);
    live.clearIssue('motoko', 'identity_in_use');
    expect(live.host('motoko')?.issues.map(({ code }) => code)).toEqual(['no_gpu']);
  });
});

describe('replicas', () => {
  it('tell a change of their status, not of their readings', () => {
    linkMotoko();
    report({ replicas: [statusOf('chat')] });
    report({ replicas: [statusOf('chat')] });
    report({ samples: [{ sample: sampleOf(clock.nowMs(), { chat: 3 }), backfilled: false }] });
    report({ replicas: [statusOf('chat', { phase: 'failed', code: 'x' })] });
    expect(kinds().filter((kind) => kind !== 'host')).toEqual(['replica', 'sample', 'replica']);
    expect(live.replica('chat')).toMatchObject({
      host: 'motoko',
      status: { phase: 'failed' },
      reading: { running: 3 },
      readingAtMs: clock.nowMs(),
    });
  });

  it('that come after the sample find their reading in it', () => {
    linkMotoko();
    report({ samples: [{ sample: sampleOf(clock.nowMs(), { chat: 3 }), backfilled: false }] });
    report({ replicas: [statusOf('chat')] });
    expect(live.replica('chat')?.reading?.running).toBe(3);
  });

  it('lose their reading when the agent has none', () => {
    linkMotoko();
    report({ replicas: [statusOf('chat')] });
    report({ samples: [{ sample: sampleOf(clock.nowMs(), { chat: 3 }), backfilled: false }] });
    report({ samples: samplesAt(clock.nowMs() + 1) });
    expect(live.replica('chat')).toMatchObject({ reading: null, readingAtMs: null });
  });

  it('that an agent no longer lists are gone', () => {
    linkMotoko();
    report({ replicas: [statusOf('chat'), statusOf('embed')] });
    report({ replicas: [statusOf('embed')] });
    expect(changes.at(-1)).toEqual({ kind: 'replicaRemoved', deployment: 'chat' });
    expect(live.replica('chat')).toBeUndefined();
  });

  it('go when their deployment is no longer declared on their host', () => {
    linkMotoko();
    report({ replicas: [statusOf('chat'), statusOf('embed')] });
    live.applyDeclared(declaredOf({ motoko: ['embed'], armitage: ['chat'] }));
    expect([...live.replicas()].map(({ deployment }) => deployment)).toEqual(['embed']);
    live.hostLinked({ ...motoko, name: 'armitage', hostId: 'h2' });
    live.takeReport('armitage', { clockSkewMs: 0, samples: [], replicas: [statusOf('chat')] });
    expect(live.replica('chat')?.host).toBe('armitage');
  });

  it('of a host that goes away keep what was last known', () => {
    linkMotoko();
    report({ replicas: [statusOf('chat')] });
    live.hostUnlinked('motoko', true, 'suspend');
    expect(live.replica('chat')?.status.phase).toBe('ready');
  });
});

describe('samples', () => {
  it('that are backfilled take their place in the past and leave the latest', () => {
    linkMotoko();
    const nowMs = clock.nowMs();
    report({ replicas: [statusOf('chat')] });
    report({ samples: [{ sample: sampleOf(nowMs, { chat: 1 }), backfilled: false }] });
    const past = [3_000, 2_000].map((ago) => ({
      sample: sampleOf(nowMs - ago, { chat: 9 }),
      backfilled: true,
    }));
    report({ samples: past });
    expect(live.host('motoko')?.sample?.atMs).toBe(nowMs);
    expect(live.replica('chat')?.reading?.running).toBe(1);
    expect(live.history('motoko', 0, nowMs).map(({ atMs }) => nowMs - atMs)).toEqual([3_000, 2_000, 0]);
    expect(changes.filter(({ kind }) => kind === 'sample')).toMatchObject([
      { backfilled: false },
      { backfilled: true },
      { backfilled: true },
    ]);
  });

  it('that are backfilled before any live one are the latest so far', () => {
    linkMotoko();
    report({ samples: [{ sample: sampleOf(clock.nowMs() - 2_000), backfilled: true }] });
    expect(live.host('motoko')?.sample?.atMs).toBe(clock.nowMs() - 2_000);
  });

  it('older than the history are told, not kept', () => {
    linkMotoko();
    report({ samples: [{ sample: sampleOf(clock.nowMs() - 16 * 60_000), backfilled: true }] });
    expect(live.history('motoko', 0, 1e15)).toEqual([]);
    expect(kinds()).toContain('sample');
  });

  it('are forgotten after fifteen minutes, of silent hosts too', () => {
    linkMotoko();
    report({ samples: samplesAt(clock.nowMs()) });
    clock.advance(15 * 60_000 + 1);
    expect(live.history('motoko', 0, 1e15)).toEqual([]);
    live.tick();
    clock.jumpWallClock(-15 * 60_000);
    expect(live.history('motoko', 0, 1e15)).toEqual([]);
  });

  it('go on when the server’s clock is set back an hour', () => {
    linkMotoko();
    report({ samples: samplesAt(clock.nowMs()) });
    clock.jumpWallClock(-3_600_000);
    clock.advance(1_000);
    report({ samples: samplesAt(clock.nowMs()) });
    expect(live.host('motoko')?.sample?.atMs).toBe(clock.nowMs());
    expect(live.history('motoko', 0, 1e15).map(({ atMs }) => atMs)).toEqual([clock.nowMs()]);
  });
});

describe('listeners', () => {
  it('that throw harm nobody else, and are told of once in a while', () => {
    const heard: string[] = [];
    live.onChange(() => {
      throw new Error('broken');
    });
    live.onChange((change) => heard.push(change.kind));
    live.applyDeclared(declaredOf({ motoko: [], armitage: [] }));
    expect(heard).toEqual(['host', 'host']);
    expect(logged.filter((line) => line.includes('a listener of the live view failed'))).toHaveLength(1);
  });

  it('hear of changes in their order, also of those that one of them makes', () => {
    linkMotoko();
    const heard: boolean[] = [];
    live.onChange((change) => {
      if (change.kind === 'host' && change.host.presence === 'away') live.setTunnelUp('motoko', true);
    });
    live.onChange((change) => {
      if (change.kind === 'host') heard.push(change.host.tunnelUp);
    });
    live.hostUnlinked('motoko', true, 'suspend');
    expect(heard).toEqual([false, true]);
  });

  it('that left are not called', () => {
    const heard: string[] = [];
    const leave = live.onChange((change) => heard.push(change.kind));
    leave();
    leave();
    live.applyDeclared(declaredOf({ motoko: [] }));
    expect(heard).toEqual([]);
  });

  it('see the change that they are told of', () => {
    linkMotoko();
    const seen: unknown[] = [];
    live.onChange((change) =>
      seen.push(change.kind === 'sample' && live.host(change.host)?.sample === change.sample),
    );
    report({ samples: samplesAt(clock.nowMs()) });
    expect(seen).toEqual([true, false]);
  });

  it('read the same value of a host until it changes', () => {
    linkMotoko();
    const before = live.host('motoko');
    expect(live.host('motoko')).toBe(before);
    live.setDraining('motoko', true);
    expect(live.host('motoko')).not.toBe(before);
    expect(before?.draining).toBe(false);
  });
});
