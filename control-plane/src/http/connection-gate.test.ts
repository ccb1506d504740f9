import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../gateway/testing/test-gateway.js';
import { FrontDoor, RawClient } from './testing/front-door.js';

const MAX = 20;
const RESERVE = 64;
const ASK = 'GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n';
const HANG = 'GET /v1/hang HTTP/1.1\r\nhost: localhost\r\n\r\n';

describe('a listener that is full', () => {
  let door: FrontDoor;
  let clock: ManualClock;
  let hanging: ServerResponse[];
  let logged: string[];
  const clients: RawClient[] = [];
  beforeEach(async () => {
    clock = new ManualClock();
    hanging = [];
    logged = [];
    door = await FrontDoor.open(
      (request, response) => {
        if (request.url === '/v1/hang') hanging.push(response);
        else response.end('{}');
      },
      { maxConnections: MAX, clock, log: pino({}, { write: (line: string) => void logged.push(line) }) },
    );
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await door.close();
  });

  function open(bytes = ''): RawClient {
    const client = new RawClient(door.port, bytes);
    clients.push(client);
    return client;
  }

  async function busy(count: number): Promise<void> {
    const before = hanging.length;
    for (let index = 0; index < count; index++) open(HANG);
    await until(() => hanging.length === before + count, 'they are busy');
  }

  async function idle(): Promise<RawClient> {
    const client = open(ASK);
    await until(() => client.statuses.length === 1, 'it is answered');
    return client;
  }

  it('ends the connection that has been idle for the longest, and no other', async () => {
    await busy(MAX - 3);
    const first = await idle();
    const second = await idle();
    const third = await idle();
    first.send(ASK);
    await until(() => first.statuses.length === 2, 'it is answered again');

    const late = open(ASK);

    await until(() => late.statuses.length === 1, 'it is answered');
    expect(late.statuses).toEqual([200]);
    await until(() => second.isEnded, 'the oldest is ended');
    expect([first.isEnded, third.isEnded]).toEqual([false, false]);
    expect(hanging.every((response) => !response.destroyed)).toBe(true);
  });

  it('refuses in the envelope where none is idle, and ends the connection', async () => {
    await busy(MAX);
    const late = open(ASK);
    await until(() => late.isEnded, 'it is refused');

    expect(late.statuses).toEqual([503]);
    expect(late.json).toMatchObject({ error: { type: 'server_error', code: 'overloaded' } });
    expect(late.text).toMatch(/^retry-after: 1\r$/m);
    expect(late.text).toMatch(/^connection: close\r$/im);
    expect(hanging.every((response) => !response.destroyed)).toBe(true);

    hanging.pop()?.end();
    await until(() => clients.some(({ statuses }) => statuses[0] === 200), 'one is idle');
    clock.advance(150);
    const later = open(ASK);
    await until(() => later.statuses.length === 1, 'it is answered');
    expect(later.statuses).toEqual([200]);
  });

  it('keeps places for operators on this machine, for health and for agents', async () => {
    await busy(MAX);
    for (const path of ['/api/v1/hosts', '/healthz', '/metrics']) {
      const operator = open(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
      await until(() => operator.isEnded, 'it is answered');
      expect(operator.statuses).toEqual([200]);
    }
    const forwarded = open('GET /api/v1/hosts HTTP/1.1\r\nhost: localhost\r\nvia: 1.1 proxy\r\n\r\n');
    await until(() => forwarded.isEnded, 'it is refused');
    expect(forwarded.statuses).toEqual([503]);
    expect(door.listeners.connections()[0]).toMatchObject({ refused: 1 });
  });

  it('answers from the socket where its reserve is taken too', async () => {
    await busy(MAX);
    for (let index = 0; index < RESERVE; index++) await once(open().socket, 'connect');
    const late = open(ASK);
    await until(() => late.text.endsWith('}'), 'it is refused');

    expect(late.statuses).toEqual([503]);
    expect(late.json).toMatchObject({ error: { code: 'overloaded' } });
    expect(late.text).toMatch(/^x-request-id: req-/m);
    expect(door.listeners.connections()).toEqual([
      { listener: 'http', open: MAX + RESERVE, refused: 1 },
      { listener: 'https', open: 0, refused: 0 },
    ]);
    late.socket.end();
    await until(() => late.isEnded, 'its connection ends');
    expect(logged.filter((line) => line.includes('AI_FABRIC_MAX_CONNECTIONS'))).toHaveLength(1);
  });

  it('gives a place of its reserve back where nobody asks for anything in two seconds', async () => {
    await busy(MAX);
    const silent = open();
    await once(silent.socket, 'connect');
    const asking = open(ASK);
    await until(() => asking.isEnded, 'the reserve is at work');
    expect(silent.isEnded).toBe(false);

    clock.advance(2_100);

    await until(() => silent.isEnded, 'it is ended');
    expect(hanging.every((response) => !response.destroyed)).toBe(true);
  });

  it('ends those first that came and asked nothing', async () => {
    await busy(MAX - 5);
    const silent = [open(), open('GET /v1/models HTTP/1.1\r\nhost: lo')];
    for (const client of silent) await once(client.socket, 'connect');
    const kept = await idle();
    await idle();
    await idle();
    clock.advance(2_100);

    const late = [await idle(), await idle()];

    await until(() => silent.every(({ isEnded }) => isEnded), 'the silent ones are ended');
    expect([kept, ...late].map(({ isEnded }) => isEnded)).toEqual([false, false, false]);
  });

  it('over TLS refuses a request too, and keeps the same places', async () => {
    const sockets = [];
    for (let index = 0; index < MAX; index++) {
      const socket = connectTls({ port: door.tlsPort, host: '127.0.0.1', rejectUnauthorized: false });
      socket.on('error', () => undefined).write(HANG);
      sockets.push(socket);
    }
    await until(() => hanging.length === MAX, 'all are busy');
    const ask = async (bytes: string): Promise<string> => {
      const socket = connectTls({ port: door.tlsPort, host: '127.0.0.1', rejectUnauthorized: false });
      sockets.push(socket);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', () => undefined).write(bytes);
      await once(socket, 'close');
      return text;
    };
    expect(await ask(ASK)).toMatch(/^HTTP\/1\.1 503 [\s\S]*"code":"overloaded"/);
    expect(await ask('GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toMatch(/ 200 /);
    const upgrade = (path: string, more = '') =>
      ask(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${more}\r\n`);
    expect(await upgrade('/agent/v1/link')).toMatch(/^HTTP\/1\.1 101 /);
    expect(await upgrade('/api/v1/telemetry', 'via: 1.1 proxy\r\n')).toMatch(/^HTTP\/1\.1 503 /);
    for (const socket of sockets) socket.destroy();
  });
});

it('a connection that asks for another protocol is counted once', async () => {
  const door = await FrontDoor.open((_request, response) => void response.end('{}'), { maxConnections: 2 });
  const clients = [new RawClient(door.port), new RawClient(door.port)];
  for (const [index, client] of clients.entries()) {
    for (let round = 0; round < 3; round++) {
      client.send('GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n');
      await until(() => client.statuses.length === round + 1, `answer ${round} of ${index} is there`);
    }
    expect(client.statuses).toEqual([200, 200, 200]);
  }
  for (const client of clients) client.close();
  await door.close();
});
