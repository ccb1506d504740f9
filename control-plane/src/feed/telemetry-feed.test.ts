import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { closeCodes, systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveState } from '../live/live-state.js';
import { declaredOf, inventory, sampleOf } from '../live/testing/live-fixtures.js';
import { until } from '../live/testing/until.js';
import { applyFeedMessage, type FeedView } from './decide/apply-feed-message.js';
import { LAG_LIMIT_MS } from './decide/plan-delivery.js';
import { type FeedMessage, feedMessageSchema } from './feed-messages.js';
import { createTelemetryFeed, FEED_TICK_MS, MAX_SUBSCRIBERS, type TelemetryFeed } from './telemetry-feed.js';
import { FakeFeedSocket } from './testing/fake-feed-socket.js';

const log = pino({ level: 'silent' });
let http: Server;
let port: number;
let live: LiveState;
let feed: TelemetryFeed;
let sockets: WebSocket[];

interface Subscriber {
  readonly ws: WebSocket;
  readonly messages: FeedMessage[];
  view: FeedView | null;
  problem: string | null;
  closeCode: number | null;
}

function subscribe(): Subscriber {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/api/v1/telemetry`, { perMessageDeflate: false });
  sockets.push(ws);
  const subscriber: Subscriber = { ws, messages: [], view: null, problem: null, closeCode: null };
  ws.on('message', (data) => {
    const message = feedMessageSchema.parse(JSON.parse(String(data)));
    subscriber.messages.push(message);
    const applied = applyFeedMessage(subscriber.view, message);
    if (applied.ok) subscriber.view = applied.view;
    else subscriber.problem = applied.code;
  });
  ws.on('close', (code) => {
    subscriber.closeCode = code;
  });
  ws.on('error', () => undefined);
  return subscriber;
}

/** So many hosts with an inventory that a snapshot is a few megabytes. */
function fillFleet(count: number): void {
  const names = Array.from({ length: count }, (_, index) => `host-${index}`);
  live.applyDeclared(declaredOf(Object.fromEntries(names.map((name) => [name, []]))));
  for (const name of names) {
    live.hostLinked({ hostId: name, name, agentVersion: '0.1.0', peerAddress: '192.0.2.1', draining: false });
    live.takeReport(name, {
      clockSkewMs: 0,
      samples: [],
      inventory: { ...inventory, osName: 'x'.repeat(120) },
    });
  }
}

function sampleAll(atMs: number): void {
  for (const { name } of [...live.hosts()]) {
    live.takeReport(name, { clockSkewMs: 0, samples: [{ sample: sampleOf(atMs), backfilled: false }] });
  }
}

beforeEach(async () => {
  sockets = [];
  http = createServer();
  http.on('upgrade', (request, socket, head) => feed.handleUpgrade(request, socket, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  port = (http.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const ws of sockets) ws.terminate();
  await feed.close();
  http.closeAllConnections();
  http.close();
});

describe('the feed over real connections', () => {
  it('shows a fleet and follows it', async () => {
    const clock = systemClock();
    live = new LiveState({ clock, log });
    feed = createTelemetryFeed({ live, clock, log });
    fillFleet(3);
    const subscriber = subscribe();
    await until('a snapshot', () => subscriber.view !== null);
    expect([...(subscriber.view?.hosts.keys() ?? [])]).toEqual(['host-0', 'host-1', 'host-2']);
    sampleAll(1_000);
    await until('samples', () => subscriber.view?.hosts.get('host-2')?.sample?.atMs === 1_000);
    expect(subscriber.problem).toBeNull();
  });

  it('is bounded for a subscriber that does not read, and goes on for the others', async () => {
    const clock = new ManualClock();
    live = new LiveState({ clock, log });
    feed = createTelemetryFeed({ live, clock, log });
    fillFleet(500);
    const stuck = subscribe();
    const reads = subscribe();
    await until('both', () => feed.subscriberCount() === 2);
    stuck.ws.pause();
    // Far more than the network takes by itself, in far more than the time that a laggard has.
    for (let ticks = 0; ticks < 400 && feed.subscriberCount() === 2; ticks += 1) {
      sampleAll(clock.nowMs());
      live.setDraining('host-0', ticks % 2 === 0);
      for (const { name } of [...live.hosts()]) live.setDraining(name, ticks % 2 === 0);
      clock.advance(FEED_TICK_MS);
      const seq = reads.view?.seq ?? -1;
      await until('the reader', () => (reads.view?.seq ?? -1) > seq);
    }
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(LAG_LIMIT_MS);
    await until('the end of the laggard', () => feed.subscriberCount() === 1);
    expect(reads.problem).toBeNull();
    expect(reads.closeCode).toBeNull();
  }, 30_000);

  it('lives through fifty subscribers that come and go, each seeing what is', async () => {
    const clock = systemClock();
    live = new LiveState({ clock, log });
    feed = createTelemetryFeed({ live, clock, log });
    fillFleet(20);
    let atMs = 0;
    const churn = Array.from({ length: 50 }, async (_, index) => {
      const subscriber = subscribe();
      await until('a snapshot', () => subscriber.view !== null);
      atMs += 1;
      sampleAll(atMs);
      if (index % 2 === 0) {
        const before = subscriber.messages.length;
        await until('a change', () => subscriber.messages.length > before);
      }
      expect(subscriber.problem).toBeNull();
      if (index % 3 === 0) subscriber.ws.terminate();
      else subscriber.ws.close();
    });
    await Promise.all(churn);
    await until('all gone', () => feed.subscriberCount() === 0);
  });

  it('ignores what a subscriber says, and ends one that says too much at once', async () => {
    const clock = systemClock();
    live = new LiveState({ clock, log });
    feed = createTelemetryFeed({ live, clock, log });
    const subscriber = subscribe();
    await until('a snapshot', () => subscriber.view !== null);
    for (const text of ['', 'hello', '{"type":"snapshot"}', 'null']) subscriber.ws.send(text);
    fillFleet(1);
    await until('a change', () => subscriber.view?.hosts.size === 1);
    subscriber.ws.send('x'.repeat(2_000));
    await until('its end', () => subscriber.closeCode !== null);
    expect(subscriber.closeCode).toBe(1009);
    await until('its release', () => feed.subscriberCount() === 0);
  });

  it('says goodbye when it is closed', async () => {
    const clock = systemClock();
    live = new LiveState({ clock, log });
    feed = createTelemetryFeed({ live, clock, log });
    const subscriber = subscribe();
    await until('a snapshot', () => subscriber.view !== null);
    await feed.close();
    expect(feed.subscriberCount()).toBe(0);
    await until('its end', () => subscriber.closeCode !== null);
    expect(subscriber.closeCode).toBe(closeCodes.service_stop);
    expect(subscriber.messages.at(-1)).toMatchObject({ type: 'goodbye', reason: 'service_stop' });
  });

  it('takes two hundred subscribers, and answers 503 to one more', async () => {
    const clock = new ManualClock();
    live = new LiveState({ clock, log });
    const fakes: FakeFeedSocket[] = [];
    feed = createTelemetryFeed({
      live,
      clock,
      log,
      acceptor: {
        accept: (_request, _socket, _head, opened) => {
          const socket = new FakeFeedSocket();
          fakes.push(socket.attach(opened(socket)));
        },
      },
    });
    const knock = () => {
      const socket = new PassThrough();
      feed.handleUpgrade({} as never, socket, Buffer.alloc(0));
      return String(socket.read() ?? '');
    };
    for (let count = 0; count < MAX_SUBSCRIBERS; count += 1) expect(knock()).toBe('');
    expect(knock()).toMatch(/^HTTP\/1\.1 503 /);
    // Who was refused and does not hang up holds no connection all the same.
    const stays = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    feed.handleUpgrade({} as never, stays, Buffer.alloc(0));
    await once(stays, 'close');
    for (const fake of fakes) fake.end();
    expect(knock()).toBe('');
    fakes.at(-1)?.end();
  });
});
