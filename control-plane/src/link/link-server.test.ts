import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { type Clock, closeCodes, formatJoinToken, LINK_PATH, systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveState } from '../live/live-state.js';
import { declaredOf, sampleOf } from '../live/testing/live-fixtures.js';
import { until } from '../live/testing/until.js';
import { MAX_UNPROVEN_LINKS } from './decide/link-limits.js';
import { createLinkServer, type LinkServer } from './link-server.js';
import { newAgentKey } from './testing/agent-keys.js';
import { FakeDeclaredSource } from './testing/fake-declared-source.js';
import { FakeHostStore } from './testing/fake-host-store.js';
import { FakeLinkSocket } from './testing/fake-link-socket.js';
import { RawAgent } from './testing/raw-agent.js';

const CERTIFICATE = 'cd'.repeat(32);
const key = newAgentKey();
const log = pino({ level: 'silent' });

let http: Server;
let port: number;
let link: LinkServer;
let live: LiveState;
let store: FakeHostStore;
let declared: FakeDeclaredSource;
let agents: RawAgent[];

function start(clock: Clock = systemClock()): void {
  live = new LiveState({ clock, log });
  live.seed(store.hosts, declared.current());
  link = createLinkServer({
    hosts: store,
    observations: store,
    live,
    declared,
    certificateSha256: CERTIFICATE,
    clock,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
    log,
  });
}

function dial(): RawAgent {
  const agent = new RawAgent(port);
  agents.push(agent);
  return agent;
}

/** A TCP connection that has finished the upgrade and knows no WebSocket. */
async function upgradedSocket() {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `GET ${LINK_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await once(socket, 'data');
  return socket;
}

beforeEach(async () => {
  agents = [];
  store = new FakeHostStore();
  store.addHost({ publicKey: key.publicKey });
  declared = new FakeDeclaredSource(declaredOf({ motoko: ['chat'] }));
  http = createServer();
  http.on('upgrade', (request, socket, head) => link.handleUpgrade(request, socket, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  port = (http.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const agent of agents) agent.ws.terminate();
  await link.close();
  http.closeAllConnections();
  http.close();
});

describe('an agent over a real connection', () => {
  it('links, reports, is acknowledged, and leaves', async () => {
    start();
    const agent = await dial().link(key, CERTIFICATE);
    await until('what to keep', () => agent.of('command').length === 1);
    agent.says('report', { seq: 1, telemetry: [sampleOf(Date.now(), { chat: 3 })] });
    await until('an ack', () => agent.of('ack').length === 1);
    expect(live.host('motoko')).toMatchObject({ presence: 'online', peerAddress: '127.0.0.1' });
    expect(live.host('motoko')?.sample?.replicas['chat']?.running).toBe(3);
    agent.says('goodbye', { reason: 'shutdown', detail: '' });
    expect(await agent.closed()).toBe(1000);
    expect(live.host('motoko')).toMatchObject({ presence: 'away', goodbyeReason: 'shutdown' });
    await until('its end', () => link.openCount() === 0);
  });

  it('is pinged, and stays for its pongs', async () => {
    const clock = new ManualClock();
    start(clock);
    const agent = await dial().link(key, CERTIFICATE);
    let pings = 0;
    agent.ws.on('ping', () => {
      pings += 1;
    });
    for (let round = 1; round <= 10; round += 1) {
      const lastSeen = live.host('motoko')?.lastSeenMs;
      clock.advance(5_000);
      await until('a pong', () => pings === round && live.host('motoko')?.lastSeenMs !== lastSeen);
    }
    expect(live.host('motoko')?.presence).toBe('online');
  });

  it('finds its way back after a restart of the control plane, shown as away until then', async () => {
    start();
    await dial().link(key, CERTIFICATE);
    await link.close();
    expect(agents[0]?.goodbyeReason).toBe('service_stop');
    start();
    expect(live.host('motoko')?.presence).toBe('away');
    await dial().link(key, CERTIFICATE, { instanceId: 'instance-1' });
    expect(live.host('motoko')?.presence).toBe('online');
  });
});

describe('somebody with a key that is not theirs alone', () => {
  it('is refused while the host is alive, again and again, and the host notices nothing', async () => {
    start();
    const host = await dial().link(key, CERTIFICATE);
    for (let tries = 0; tries < 3; tries += 1) {
      const thief = dial();
      await thief.hello(key, CERTIFICATE, { instanceId: `thief-${tries}` });
      expect(await thief.closed()).toBe(closeCodes.identity_in_use);
    }
    expect(host.closeCode).toBeNull();
    expect(live.host('motoko')?.issues.map(({ code }) => code)).toEqual(['identity_in_use']);
    link.clearIdentityConflict('motoko');
    expect(live.host('motoko')?.issues).toEqual([]);
  });

  it('gets the host when its old connection is dead without knowing it', async () => {
    start();
    const halfOpen = await dial().link(key, CERTIFICATE);
    halfOpen.becomeDeaf();
    const agent = await dial().link(key, CERTIFICATE, { instanceId: 'after the power cut' });
    expect(agent.goodbyeReason).toBeUndefined();
    expect(live.host('motoko')?.issues).toEqual([]);
    expect(link.linkedCount()).toBe(1);
  });

  it('cannot use a join token at the same time as somebody else', async () => {
    start();
    const token = { id: 'k3v9x2mq', secret: 's'.repeat(43), certificateSha256: CERTIFICATE };
    store.addToken(token.id, token.secret);
    const joinToken = formatJoinToken(token);
    const two = ['wintermute', 'armitage'].map(async (hostName) => {
      const agent = dial();
      await agent.hello(newAgentKey(), CERTIFICATE, { hostName, joinToken });
      await until('an answer', () => agent.of('welcome').length + agent.of('goodbye').length > 0);
      return agent.goodbyeReason ?? 'welcome';
    });
    expect((await Promise.all(two)).sort()).toEqual(['token_used', 'welcome']);
  });
});

describe('a peer that breaks the rules', () => {
  it.each([
    ['a truncated frame', '{"id":"1","type":"hel'],
    ['an unknown frame', '{"id":"1","type":"takeover","sentAtMs":1,"body":{}}'],
    ['a hello without a proof', '{"id":"1","type":"hello","sentAtMs":1,"body":{}}'],
    ['nothing', ''],
  ])('with %s is told so and ended', async (_, text) => {
    start();
    const agent = dial();
    await agent.nonce();
    agent.ws.send(text);
    expect(await agent.closed()).toBe(closeCodes.protocol_error);
    expect(agent.goodbyeReason).toBe('protocol_error');
  });

  it('with a binary frame is ended', async () => {
    start();
    const agent = await dial().link(key, CERTIFICATE);
    agent.ws.send(Buffer.from([1, 2, 3]));
    expect(await agent.closed()).toBe(closeCodes.protocol_error);
  });

  it('with 10 MB is ended before they are read, and leaves the host to whoever comes', async () => {
    start();
    const agent = await dial().link(key, CERTIFICATE);
    agent.ws.send('x'.repeat(10 * 1024 * 1024));
    await until('its release', () => link.linkedCount() === 0);
    expect([1006, 1009]).toContain(await agent.closed());
    await dial().link(key, CERTIFICATE, { instanceId: 'another' });
  });

  it('with bytes that are no WebSocket is ended', async () => {
    start();
    const socket = await upgradedSocket();
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n\xff\xff\xff\xff\xff', 'latin1'));
    await once(socket, 'close');
    await until('its end', () => link.openCount() === 0);
  });

  it('by cutting the connection in the middle of a frame harms nothing', async () => {
    start();
    const socket = await upgradedSocket();
    socket.write(Buffer.from([0x81, 0xfe, 0x10, 0x00, 1, 2, 3, 4, 5]));
    socket.destroy();
    await until('its end', () => link.openCount() === 0);
    await dial().link(key, CERTIFICATE);
  });

  it('by saying nothing at all is ended after 5 s', async () => {
    const clock = new ManualClock();
    start(clock);
    const agent = dial();
    await agent.nonce();
    clock.advance(6_000);
    expect(await agent.closed()).toBe(closeCodes.hello_timeout);
  });

  it('with a flood of frames is ended, and the rest of the flood is not taken', async () => {
    start();
    const agent = await dial().link(key, CERTIFICATE);
    for (let seq = 1; seq <= 10_000; seq += 1) agent.says('report', { seq });
    expect(await agent.closed()).toBe(closeCodes.rate_limited);
    expect(link.linkedCount()).toBe(0);
  });

  it('by not reading is ended when too much waits for it', async () => {
    start();
    const agent = await dial().link(key, CERTIFICATE);
    agent.becomeDeaf();
    const names = Array.from({ length: 64 }, (_, index) => `deployment-${index}`);
    let revision = 1;
    while (link.linkedCount() > 0 && revision < 20_000) {
      revision += 1;
      declared.replace(declaredOf({ motoko: names }, revision));
      if (revision % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(link.linkedCount()).toBe(0);
    await until('its end', () => link.openCount() === 0);
  });

  it('with an upgrade that is none gets an HTTP error', async () => {
    start();
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${LINK_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });
});

describe('the link server', () => {
  it('closes within seconds though a peer does not answer', async () => {
    start();
    const deaf = await dial().link(key, CERTIFICATE);
    deaf.becomeDeaf();
    const before = performance.now();
    await link.close();
    expect(link.openCount()).toBe(0);
    expect(performance.now() - before).toBeLessThan(20_000);
    expect(declared.listenerCount).toBe(0);
  });

  it('answers 503 while too many have not said who they are, and when it is closing', async () => {
    start(new ManualClock());
    const crowded = createLinkServer({
      hosts: store,
      observations: store,
      live,
      declared,
      certificateSha256: CERTIFICATE,
      clock: new ManualClock(),
      randomBytes: (size) => new Uint8Array(size),
      log,
      acceptor: {
        accept: (_request, _socket, _head, opened) => {
          const socket = new FakeLinkSocket();
          socket.attach(opened(socket));
        },
      },
    });
    const request = {} as IncomingMessage;
    const knock = () => {
      const socket = new PassThrough();
      crowded.handleUpgrade(request, socket, Buffer.alloc(0));
      return String(socket.read() ?? '');
    };
    for (let count = 0; count < MAX_UNPROVEN_LINKS; count += 1) expect(knock()).toBe('');
    expect(knock()).toMatch(/^HTTP\/1\.1 503 /);
    expect(crowded.openCount()).toBe(MAX_UNPROVEN_LINKS);
    // Its sockets are not real and never end: closing gives up on them in time.
    await crowded.close();
    expect(knock()).toMatch(/^HTTP\/1\.1 503 /);
    // Who was refused and does not hang up holds no connection all the same.
    const stays = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    crowded.handleUpgrade(request, stays, Buffer.alloc(0));
    await once(stays, 'close');
  });
});
