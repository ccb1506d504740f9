import { closeCodes } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { LiveState } from '../live/live-state.js';
import { declaredOf, inventory, sampleOf, statusOf } from '../live/testing/live-fixtures.js';
import { EVERYTHING, type FeedFilter, feedFilter, wantsHost } from './decide/feed-filter.js';
import type { FeedResume } from './decide/parse-feed-query.js';
import { HIGH_WATER_BYTES, LAG_LIMIT_MS, planDelivery } from './decide/plan-delivery.js';
import { FeedBroadcast, MAX_KEPT_BYTES } from './feed-broadcast.js';
import { feedSnapshotSchema } from './feed-messages.js';
import { FakeFeedSocket } from './testing/fake-feed-socket.js';

const log = pino({ level: 'silent' });
let clock: ManualClock;
let live: LiveState;
let feed: FeedBroadcast;

beforeEach(() => {
  clock = new ManualClock();
  live = new LiveState({ clock, log });
  feed = new FeedBroadcast({ live, clock, log });
});

function subscribe(filter?: FeedFilter, resume?: FeedResume): FakeFeedSocket {
  const socket = new FakeFeedSocket();
  return socket.attach(feed.add(socket, filter, resume));
}

/** Cut off, with what it was told. */
function cutOff(socket: FakeFeedSocket): FeedResume {
  socket.end();
  return { stream: socket.view?.stream ?? '', seq: socket.view?.seq ?? -1 };
}

function tick(times = 1): void {
  for (let count = 0; count < times; count += 1) {
    clock.advance(250);
    feed.tick();
  }
}

function linkHost(name: string, hostId = name): void {
  live.hostLinked({ hostId, name, agentVersion: '0.1.0', peerAddress: '192.0.2.1', draining: false });
}

function sample(name: string, running = 0, agoMs = 0, backfilled = false): void {
  const samples = [{ sample: sampleOf(clock.nowMs() - agoMs, { [`chat-${name}`]: running }), backfilled }];
  live.takeReport(name, { clockSkewMs: 0, samples });
}

/** What the live view holds, as a subscriber with that filter would. */
function liveNow(filter: FeedFilter) {
  const hosts = filter.kinds.has('hosts') ? [...live.hosts()] : [];
  const replicas = filter.kinds.has('replicas') ? [...live.replicas()] : [];
  return {
    hosts: hosts
      .filter(({ name }) => wantsHost(filter, name))
      .map(({ sample: latest, ...host }) => ({ host, sample: filter.kinds.has('samples') ? latest : null })),
    replicas: replicas
      .filter(({ host }) => wantsHost(filter, host))
      // Without the engine's key, in the order of the schema.
      .map((replica) => feedSnapshotSchema.shape.replicas.element.parse(replica)),
  };
}

function held(socket: FakeFeedSocket) {
  return {
    hosts: [...(socket.view?.hosts.values() ?? [])],
    replicas: [...(socket.view?.replicas.values() ?? [])],
  };
}

const sorted = <Item>(items: readonly Item[]) => items.map((item) => JSON.stringify(item)).sort();
const lastSeenApart = (text: string) => text.replace(/"lastSeenMs":\d+/, '');

function expectHolds(socket: FakeFeedSocket, filter = EVERYTHING): void {
  expect(socket.problem).toBeNull();
  const now = liveNow(filter);
  expect(sorted(held(socket).hosts).map(lastSeenApart)).toEqual(sorted(now.hosts).map(lastSeenApart));
  expect(sorted(held(socket).replicas)).toEqual(sorted(now.replicas));
}

describe('a subscriber', () => {
  it('gets a snapshot, then differences alone', () => {
    live.applyDeclared(declaredOf({ motoko: ['chat-motoko'], armitage: [] }));
    linkHost('motoko');
    sample('motoko', 1);
    live.takeReport('motoko', {
      clockSkewMs: 0,
      samples: [],
      inventory,
      replicas: [statusOf('chat-motoko')],
    });
    const socket = subscribe();
    tick();
    expect(socket.messages).toMatchObject([{ type: 'snapshot' }]);
    expectHolds(socket);
    clock.advance(750);
    sample('motoko', 2);
    tick();
    const change = socket.messages[1];
    expect(change).toMatchObject({ type: 'change', fromSeq: 1, seq: 2 });
    expect(change).toHaveProperty('samples', [
      { host: 'motoko', delta: { atMs: clock.nowMs() - 250, replicas: { 'chat-motoko': { running: 2 } } } },
    ]);
    expect(change).not.toHaveProperty('hosts');
    expectHolds(socket);
  });

  it('gets nothing when nothing changes', () => {
    const socket = subscribe();
    tick(40);
    expect(socket.messages).toHaveLength(1);
  });

  it('gets what happened within a quarter of a second as one message', () => {
    live.applyDeclared(declaredOf({ motoko: ['chat-motoko'] }));
    linkHost('motoko');
    const socket = subscribe();
    tick();
    for (let count = 0; count < 10; count += 1) sample('motoko', count);
    live.setDraining('motoko', true);
    tick();
    expect(socket.messages).toHaveLength(2);
    expectHolds(socket);
  });

  it('is told of a host that goes, and of one that came and went within one message', () => {
    live.applyDeclared(declaredOf({ motoko: [] }));
    const socket = subscribe();
    tick();
    live.applyDeclared(declaredOf({}));
    live.applyDeclared(declaredOf({ fleeting: [] }));
    live.applyDeclared(declaredOf({}));
    tick();
    expect(socket.messages[1]).toMatchObject({ removedHosts: ['motoko'] });
    expect(socket.messages[1]).not.toHaveProperty('hosts');
    expectHolds(socket);
  });

  it('keeps nothing of a host that went and came again under its name', () => {
    live.applyDeclared(declaredOf({ motoko: [] }));
    const socket = subscribe();
    tick();
    const before = socket.view?.hosts.get('motoko')?.host;
    live.applyDeclared(declaredOf({}));
    clock.advance(1_000);
    live.applyDeclared(declaredOf({ motoko: [] }));
    tick();
    expect(socket.messages[1]).toMatchObject({ removedHosts: ['motoko'], hosts: [{ name: 'motoko' }] });
    expect(socket.view?.hosts.get('motoko')?.host).not.toEqual(before);
    expectHolds(socket);
  });

  it('is told which stretch of the past was filled in, and keeps the latest sample', () => {
    live.applyDeclared(declaredOf({ motoko: [] }));
    linkHost('motoko');
    sample('motoko');
    const socket = subscribe();
    tick();
    for (const agoMs of [60_000, 50_000, 55_000]) sample('motoko', 0, agoMs, true);
    const nowMs = clock.nowMs();
    tick();
    expect(socket.messages[1]).toMatchObject({
      backfilled: [{ host: 'motoko', fromMs: nowMs - 60_000, toMs: nowMs - 50_000 }],
    });
    expect(socket.messages[1]).not.toHaveProperty('samples');
    expectHolds(socket);
  });

  it('that comes later starts with its own snapshot and goes on with the same bytes as the others', () => {
    live.applyDeclared(declaredOf({ motoko: [] }));
    linkHost('motoko');
    const first = subscribe();
    tick();
    sample('motoko');
    const second = subscribe();
    tick();
    expect(second.messages).toMatchObject([{ type: 'snapshot', seq: 2 }]);
    sample('motoko');
    tick();
    expect(second.sent.at(-1)).toBe(first.sent.at(-1));
    expectHolds(first);
    expectHolds(second);
  });
});

describe('a subscriber that does not keep up', () => {
  function lagging(): FakeFeedSocket {
    live.applyDeclared(declaredOf({ motoko: ['chat-motoko'], armitage: [] }));
    linkHost('motoko');
    const socket = subscribe();
    tick();
    socket.buffered = HIGH_WATER_BYTES + 1;
    return socket;
  }

  it('gets nothing while it lags, then all that it missed in one message', () => {
    const socket = lagging();
    const keepsUp = subscribe();
    for (let count = 0; count < 20; count += 1) {
      sample('motoko', count);
      if (count === 10)
        live.takeReport('motoko', { clockSkewMs: 0, samples: [], replicas: [statusOf('chat-motoko')] });
      tick();
    }
    expect(socket.messages).toHaveLength(1);
    socket.buffered = 0;
    tick();
    expect(socket.messages).toHaveLength(2);
    expect(socket.messages[1]).toMatchObject({ type: 'change', fromSeq: 1 });
    expectHolds(socket);
    expectHolds(keepsUp);
    sample('motoko', 99);
    tick();
    expect(socket.sent.at(-1)).toBe(keepsUp.sent.at(-1));
  });

  it('is told to go after 20 s, and costs nothing from then on', () => {
    const socket = lagging();
    for (let waitedMs = 0; waitedMs < LAG_LIMIT_MS + 1_000; waitedMs += 250) {
      sample('motoko', waitedMs);
      tick();
    }
    expect(socket.messages.at(-1)).toMatchObject({ type: 'goodbye', reason: 'slow_consumer' });
    expect(socket.closedWith?.code).toBe(closeCodes.slow_consumer);
    expect(socket.messages).toHaveLength(2);
    socket.end();
    expect(feed.count).toBe(0);
  });

  it('for a moment only is not held to have lagged', () => {
    const socket = lagging();
    socket.buffered = 0;
    sample('motoko', 1);
    tick();
    expect(socket.messages.at(-1)).toMatchObject({ type: 'change', fromSeq: 1, seq: 2 });
  });

  it.each([
    [{ bufferedBytes: 0, behindSinceMs: null, hasSnapshot: false }, 'snapshot'],
    [{ bufferedBytes: 1_048_576, behindSinceMs: null, hasSnapshot: true }, 'shared'],
    [{ bufferedBytes: 1_048_577, behindSinceMs: null, hasSnapshot: true }, 'hold'],
    [{ bufferedBytes: 262_145, behindSinceMs: 99_000, hasSnapshot: true }, 'hold'],
    [{ bufferedBytes: 262_144, behindSinceMs: 0, hasSnapshot: true }, 'catch_up'],
    [{ bufferedBytes: 262_145, behindSinceMs: 80_000, hasSnapshot: true }, 'goodbye'],
    [{ bufferedBytes: 262_145, behindSinceMs: 80_001, hasSnapshot: true }, 'hold'],
  ] as const)('with %o gets: %s', (facts, delivery) => {
    expect(planDelivery({ ...facts, nowMs: 100_000 })).toBe(delivery);
  });
});

describe('a subscriber with a filter', () => {
  beforeEach(() => {
    live.applyDeclared(declaredOf({ motoko: ['chat-motoko'], armitage: ['chat-armitage'] }));
    for (const name of ['motoko', 'armitage']) linkHost(name);
  });
  const replicasOf = (name: string) =>
    live.takeReport(name, { clockSkewMs: 0, samples: [], replicas: [statusOf(`chat-${name}`)] });

  it('is told of its hosts alone, and nothing of what happens to others', () => {
    const socket = subscribe(feedFilter(['motoko'], ['hosts', 'replicas', 'samples']));
    tick();
    for (const name of ['armitage', 'motoko', 'armitage']) {
      sample(name);
      replicasOf(name);
      tick();
    }
    expect(socket.problem).toBeNull();
    expect(socket.messages.map(({ type }) => type)).toEqual(['snapshot', 'change']);
    expect([...(socket.view?.hosts.keys() ?? [])]).toEqual(['motoko']);
    expect([...(socket.view?.replicas.keys() ?? [])]).toEqual(['chat-motoko']);
  });

  it('is told of its kinds alone; samples bring their hosts', () => {
    // Its first report makes its host another one.
    sample('motoko');
    replicasOf('motoko');
    const hosts = subscribe(feedFilter(null, ['hosts']));
    const samples = subscribe(feedFilter(null, ['samples']));
    const replicas = subscribe(feedFilter(null, ['replicas']));
    tick();
    sample('motoko', 5);
    sample('motoko', 0, 60_000, true);
    live.takeReport('motoko', {
      clockSkewMs: 0,
      samples: [],
      replicas: [statusOf('chat-motoko', { phase: 'failed' })],
    });
    tick();
    expect(hosts.messages).toHaveLength(1);
    expect(samples.view?.hosts.get('motoko')?.sample).not.toBeNull();
    expect(samples.messages[1]).toHaveProperty('backfilled');
    expect(samples.view?.replicas.size).toBe(0);
    expect(replicas.view?.hosts.size).toBe(0);
    expect(replicas.messages[1]).toMatchObject({ replicas: [{ deployment: 'chat-motoko' }] });
  });

  it('gets the same bytes as all others with the same filter, whenever they came', () => {
    const filter = () => feedFilter(['motoko'], ['samples']);
    const first = subscribe(filter());
    tick();
    sample('armitage');
    tick();
    const second = subscribe(filter());
    tick();
    sample('motoko');
    tick();
    expect(second.sent.at(-1)).toBe(first.sent.at(-1));
    expect([first.problem, second.problem]).toEqual([null, null]);
  });

  it('sees a replica go that moves to a host of no interest to it', () => {
    replicasOf('motoko');
    const socket = subscribe(feedFilter(['motoko'], ['replicas']));
    tick();
    live.applyDeclared(declaredOf({ motoko: [], armitage: ['chat-motoko'] }));
    live.takeReport('armitage', { clockSkewMs: 0, samples: [], replicas: [statusOf('chat-motoko')] });
    tick();
    expect(socket.messages[1]).toMatchObject({ type: 'change', removedReplicas: ['chat-motoko'] });
    expect(socket.view?.replicas.size).toBe(0);
  });
});

describe('a subscriber that was cut off', () => {
  beforeEach(() => {
    live.applyDeclared(declaredOf({ motoko: [] }));
    linkHost('motoko');
  });

  function resumeAfter(cut: FakeFeedSocket, happens: () => void): FakeFeedSocket {
    const from = cutOff(cut);
    happens();
    const socket = subscribe(undefined, from);
    socket.view = cut.view;
    tick();
    return socket;
  }

  it('and comes again gets what it missed and no snapshot, also when it was the only one', () => {
    const before = subscribe();
    tick();
    const again = resumeAfter(before, () => {
      for (let count = 1; count < 5; count += 1) {
        sample('motoko', count);
        tick();
      }
    });
    expect(again.messages.map(({ type }) => type)).toEqual(Array(4).fill('change'));
    expectHolds(again);
    sample('motoko', 9);
    tick();
    expectHolds(again);
  });

  it('and missed nothing is told nothing but what comes', () => {
    const before = subscribe();
    tick();
    const again = resumeAfter(before, () => tick());
    expect(again.messages).toEqual([]);
    sample('motoko', 1);
    tick();
    expectHolds(again);
  });

  it.each([
    ['of another stream', { stream: 'x-1' }],
    ['from the future', { seq: 99 }],
  ])('and names what is %s gets a snapshot', (_, wrong) => {
    const before = subscribe();
    tick();
    const again = subscribe(undefined, { ...cutOff(before), ...wrong });
    tick();
    expect(again.messages).toMatchObject([{ type: 'snapshot' }]);
  });

  it('and stays away for more than a minute gets a snapshot of another stream', () => {
    const before = subscribe();
    tick();
    const again = resumeAfter(before, () => tick(241));
    expect(again.messages).toMatchObject([{ type: 'snapshot' }]);
    expect(again.messages[0]).not.toMatchObject({ stream: cutOff(before).stream });
  });

  it('and missed more than is kept gets a snapshot, and what is kept is bounded', () => {
    const names = Array.from({ length: 300 }, (_, index) => `host-${index}`);
    live.applyDeclared(declaredOf(Object.fromEntries(names.map((name) => [name, []]))));
    for (const name of names) linkHost(name);
    const [before, stays] = [subscribe(), subscribe()];
    tick();
    const again = resumeAfter(before, () => {
      for (let count = 0; count < 120; count += 1) {
        for (const name of names) live.setDraining(name, count % 2 === 0);
        tick();
      }
    });
    expect(feed.keptBytes).toBeLessThanOrEqual(MAX_KEPT_BYTES);
    expect(feed.keptBytes).toBeGreaterThan(MAX_KEPT_BYTES / 2);
    expect(again.messages).toMatchObject([{ type: 'snapshot' }]);
    expectHolds(stays);
  });

  it('leaves no more behind than is bounded, however many filters come and go', () => {
    for (let count = 0; count < 500; count += 1) subscribe(feedFilter([`h${count}`], ['hosts'])).end();
    expect(feed.streamCount).toBeLessThanOrEqual(40);
    tick(241);
    expect(feed.streamCount).toBe(0);
  });
});

describe('the feed', () => {
  it('pings its subscribers every 15 s and cuts off who has not answered', () => {
    const answers = subscribe();
    const silent = subscribe();
    tick(60);
    expect([answers.pings, silent.pings]).toEqual([1, 1]);
    answers.pong();
    tick(60);
    expect(answers.pings).toBe(2);
    expect(silent.terminated).toBe(true);
    expect(feed.count).toBe(1);
  });

  it('ends with a goodbye to all, and follows the live view no more', () => {
    const socket = subscribe();
    tick();
    feed.end('service_stop', closeCodes.service_stop, 'The control plane stops.');
    expect(socket.messages.at(-1)).toMatchObject({ type: 'goodbye', reason: 'service_stop' });
    expect(socket.closedWith?.code).toBe(1001);
    live.applyDeclared(declaredOf({ motoko: [] }));
    feed.tick();
    expect(socket.messages).toHaveLength(2);
  });

  it('shows every subscriber what is, whatever happens, is asked for, breaks off and reads slowly', () => {
    const names = ['motoko', 'armitage', 'wintermute'];
    const kinds = ['hosts', 'replicas', 'samples'] as const;
    const name = fc.constantFrom(...names);
    const step = fc.oneof(
      name.map((host) => () => linkHost(host)),
      fc.tuple(name, fc.nat(9), fc.nat(5_000), fc.boolean()).map(
        ([host, running, agoMs, backfilled]) =>
          () =>
            sample(host, running, agoMs, backfilled),
      ),
      fc.subarray(names).map((hosts) => () => {
        live.applyDeclared(declaredOf(Object.fromEntries(hosts.map((host) => [host, [`chat-${host}`]]))));
      }),
      fc.tuple(name, fc.constantFrom('ready', 'failed' as const)).map(([host, phase]) => () => {
        const replicas = [statusOf(`chat-${host}`, { phase })];
        live.takeReport(host, { clockSkewMs: 0, samples: [], replicas });
      }),
      name.map((host) => () => live.hostUnlinked(host, true, 'suspend')),
      fc.constant(() => tick()),
      fc.nat(2).map((which) => () => {
        const socket = subscribers[which]?.socket;
        if (socket) socket.buffered = socket.buffered > 0 ? 0 : HIGH_WATER_BYTES * 2;
      }),
      fc.tuple(fc.subarray(names), fc.subarray([...kinds])).map(([hosts, told]) => () => {
        const filter = feedFilter(hosts.length === names.length ? null : hosts, told);
        subscribers.push({ socket: subscribe(filter), filter });
      }),
      fc.nat(4).map((which) => () => {
        const cut = subscribers[which];
        if (!cut) return;
        const socket = subscribe(cut.filter, cutOff(cut.socket));
        socket.view = cut.socket.view;
        subscribers[which] = { ...cut, socket };
      }),
    );
    let subscribers: { readonly socket: FakeFeedSocket; readonly filter: FeedFilter }[] = [];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        clock = new ManualClock();
        live = new LiveState({ clock, log });
        feed = new FeedBroadcast({ live, clock, log });
        subscribers = [EVERYTHING, EVERYTHING].map((filter) => ({ socket: subscribe(filter), filter }));
        for (const run of steps) run();
        for (const { socket } of subscribers) socket.buffered = 0;
        tick(2);
        for (const { socket, filter } of subscribers) expectHolds(socket, filter);
      }),
      { numRuns: 300 },
    );
  });

  it('takes no more of its subscribers than it gave: a thousand that come and go leave nothing', () => {
    for (let count = 0; count < 1_000; count += 1) {
      const socket = subscribe();
      if (count % 3 === 0) tick();
      socket.end();
    }
    expect(feed.count).toBe(0);
  });
});
