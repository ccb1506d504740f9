import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../live/testing/until.js';
import { createFeedSocketAcceptor, type FeedSocket, MAX_FRAME_BYTES } from './feed-socket.js';

const MEGABYTES = Buffer.alloc(3 * 1024 * 1024 + 7, 'snapshot ');
let http: Server;
let port: number;
/** Of the test at hand: a connection of the one before may end late. */
let seen: { opened: FeedSocket[]; closedCount: number; pongs: number };
let clients: (WebSocket | Socket)[];

beforeEach(async () => {
  const own = { opened: [] as FeedSocket[], closedCount: 0, pongs: 0 };
  seen = own;
  clients = [];
  const acceptor = createFeedSocketAcceptor();
  http = createServer();
  http.on('upgrade', (request, socket, head) => {
    acceptor.accept(request, socket, head, (feedSocket) => {
      own.opened.push(feedSocket);
      return {
        pong: () => {
          own.pongs += 1;
        },
        closed: () => {
          own.closedCount += 1;
        },
      };
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  port = (http.address() as AddressInfo).port;
});

afterEach(() => {
  for (const client of clients) client instanceof WebSocket ? client.terminate() : client.destroy();
  http.closeAllConnections();
  http.close();
});

async function subscribe(): Promise<{ ws: WebSocket; socket: FeedSocket; messages: Buffer[] }> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  clients.push(ws);
  const messages: Buffer[] = [];
  ws.on('message', (data) => messages.push(data as Buffer));
  await once(ws, 'open');
  return { ws, socket: last(seen.opened), messages };
}

/** A subscriber that keeps what comes as it came, frames and all. */
async function listenRaw(): Promise<{ socket: FeedSocket; received: () => Buffer }> {
  const raw = connect(port, '127.0.0.1');
  clients.push(raw);
  const chunks: Buffer[] = [];
  raw.on('data', (chunk) => chunks.push(chunk));
  raw.write(
    'GET / HTTP/1.1\r\nHost: feed\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  await until('an open socket', () => seen.opened.length === 1);
  return { socket: last(seen.opened), received: () => Buffer.concat(chunks) };
}

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly bytes: number;
}

/** @param stream RFC 6455, section 5.2, unmasked, behind the answer of the handshake */
function framesOf(stream: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = stream.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= stream.length) {
    const [flags, short] = [stream.readUInt8(at), stream.readUInt8(at + 1)];
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (at + header > stream.length) break;
    const bytes =
      short === 127
        ? Number(stream.readBigUInt64BE(at + 2))
        : short === 126
          ? stream.readUInt16BE(at + 2)
          : short;
    frames.push({ fin: (flags & 0x80) !== 0, opcode: flags & 0x0f, bytes });
    at += header + bytes;
  }
  return frames;
}

function last<Value>(values: readonly Value[]): Value {
  const value = values.at(-1);
  if (value === undefined) throw new Error('there is none');
  return value;
}

describe('a connection of the feed', () => {
  it('carries what is long in frames that are not, one message all the same', async () => {
    const { socket, received } = await listenRaw();
    socket.send(MEGABYTES);
    socket.send(Buffer.from('next'));
    await until(
      'both',
      () => received().length > MEGABYTES.length && framesOf(received()).at(-1)?.bytes === 4,
    );
    const frames = framesOf(received());
    const [next, ...reversed] = frames.reverse();
    expect(next).toEqual({ fin: true, opcode: 1, bytes: 4 });
    const parts = reversed.reverse();
    expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(MEGABYTES.length);
    expect(Math.max(...parts.map(({ bytes }) => bytes))).toBe(MAX_FRAME_BYTES);
    expect(parts.map(({ opcode }) => opcode)).toEqual(parts.map((_, index) => (index === 0 ? 1 : 0)));
    expect(parts.map(({ fin }) => fin)).toEqual(parts.map((_, index) => index === parts.length - 1));
  });

  it('gives a client its messages whole and in order', async () => {
    const { socket, messages } = await subscribe();
    for (const text of ['first', '', 'third']) socket.send(Buffer.from(text));
    socket.send(MEGABYTES);
    socket.send(Buffer.alloc(0));
    socket.send(MEGABYTES.subarray(0, MAX_FRAME_BYTES));
    await until('all', () => messages.length === 6);
    expect(messages.slice(0, 3).map(String)).toEqual(['first', '', 'third']);
    expect(messages[3]?.equals(MEGABYTES)).toBe(true);
    expect(messages[4]?.length).toBe(0);
    expect(messages[5]?.length).toBe(MAX_FRAME_BYTES);
    expect(socket.bufferedBytes()).toBe(0);
  });

  it('counts what it still holds', async () => {
    const { ws, socket } = await subscribe();
    ws.pause();
    for (let sent = 0; sent < 8; sent += 1) socket.send(MEGABYTES);
    // The first part is with the kernel.
    expect(socket.bufferedBytes()).toBeGreaterThanOrEqual(8 * MEGABYTES.length - MAX_FRAME_BYTES);
    expect(socket.bufferedBytes()).toBeLessThan(8 * MEGABYTES.length + 100);
  });

  it('is asked for a sign of life between two parts of a message', async () => {
    const { socket, messages } = await subscribe();
    socket.send(MEGABYTES);
    socket.ping();
    await until('an answer', () => seen.pongs === 1);
    await until('the message', () => messages.length === 1);
    expect(messages[0]?.equals(MEGABYTES)).toBe(true);
  });

  it('is closed behind what was sent before', async () => {
    const { ws, socket, messages } = await subscribe();
    const closed = once(ws, 'close');
    socket.send(MEGABYTES);
    socket.send(Buffer.from('goodbye'));
    socket.close(4_001, 'slow_consumer');
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4_001, 'slow_consumer']);
    expect(messages.map(({ length }) => length)).toEqual([MEGABYTES.length, 7]);
    await until('its end', () => seen.closedCount === 1);
  });

  it('takes nothing more once it is to close', async () => {
    const { ws, socket, messages } = await subscribe();
    const closed = once(ws, 'close');
    socket.send(MEGABYTES);
    socket.close(1_000, 'done');
    socket.close(1_001, 'twice');
    socket.send(Buffer.from('late'));
    socket.ping();
    expect(((await closed) as [number])[0]).toBe(1_000);
    expect(messages).toHaveLength(1);
  });

  it('is cut off where its peer takes nothing and it is to close', async () => {
    const { ws, socket } = await subscribe();
    ws.pause();
    for (let sent = 0; sent < 8; sent += 1) socket.send(MEGABYTES);
    socket.close(4_001, 'slow_consumer');
    await until('its end', () => seen.closedCount === 1);
    expect(socket.bufferedBytes()).toBe(0);
    for (const use of [() => socket.send(MEGABYTES), () => socket.ping(), () => socket.close(1_000, '')]) {
      expect(use).not.toThrow();
    }
  });

  it('forgets what it holds when its peer is gone', async () => {
    const { ws, socket } = await subscribe();
    ws.pause();
    for (let sent = 0; sent < 8; sent += 1) socket.send(MEGABYTES);
    ws.terminate();
    await until('its end', () => seen.closedCount === 1);
    expect(socket.bufferedBytes()).toBe(0);
  });
});
