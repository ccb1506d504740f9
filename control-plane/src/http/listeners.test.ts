import { createServer } from 'node:http';
import { get } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ListenError, type Listeners, openListeners } from './listeners.js';

const closers: (() => Promise<void>)[] = [];
let certificate: { certificatePem: string; privateKeyPem: string };

beforeAll(async () => {
  const pair = await generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' });
  certificate = { certificatePem: pair.cert, privateKeyPem: pair.private };
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function open(hosts: readonly string[], port = 0, clock = new ManualClock()): Promise<Listeners> {
  const listeners = await openListeners({
    ...{ hosts, port, tlsPort: 0, certificate, clock, random: () => 0, log: pino({ level: 'silent' }) },
    maxConnections: 4096,
    handlers: {
      isPrivileged: () => false,
      request: (listener) => (_, response) => response.end(listener.encrypted ? 'encrypted' : 'plain'),
      upgrade: () => (_, socket) => socket.destroy(),
    },
  });
  closers.push(() => listeners.close());
  return listeners;
}

describe('openListeners', () => {
  test('each address answers in clear on one port and over TLS on the other', async () => {
    const listeners = await open(['127.0.0.1']);
    const [plain = '', tls = ''] = [listeners.plainUrls[0], listeners.tlsUrls[0]];
    expect(await (await fetch(plain)).text()).toBe('plain');
    const answer = await new Promise<string>((resolve, reject) => {
      get(tls, { rejectUnauthorized: false, agent: false }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      }).on('error', reject);
    });
    expect(answer).toBe('encrypted');
  });

  test('a taken port is an error that names it, who has it and the flag, and nothing stays open', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(0, '127.0.0.1', resolve);
    });
    const { port } = holder.address() as AddressInfo;
    await expect(open(['127.0.0.1'], port)).rejects.toThrow(ListenError);
    await expect(open(['127.0.0.1'], port)).rejects.toThrow(
      new RegExp(`127.0.0.1:${port} is taken by .*process ${process.pid}\\b.*--port`),
    );
    holder.close();
  });

  test('an address that is not there yet is waited for while the others answer', async () => {
    const clock = new ManualClock();
    // TEST-NET-1 is never an address of a machine.
    const listeners = await open(['192.0.2.1', '127.0.0.1'], 0, clock);
    expect(listeners.plainUrls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(2);
    await listeners.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test('closing ends connections that clients keep open', async () => {
    const listeners = await open(['127.0.0.1']);
    await (await fetch(listeners.plainUrls[0] ?? '')).text();
    await listeners.close();
    await expect(fetch(listeners.plainUrls[0] ?? 'http://127.0.0.1:1')).rejects.toThrow();
  });

  test.each([
    ['garbage', 'GARBAGE\r\n\r\n', 'HTTP/1.1 400 '],
    ['a bad length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n', 'HTTP/1.1 400 '],
    ['headers without end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 'HTTP/1.1 431 '],
  ])('%s is answered in the envelope that clients read, and ended', async (_, bytes, start) => {
    const listeners = await open(['127.0.0.1']);
    const answer = await exchange(Number(new URL(listeners.plainUrls[0] ?? '').port), bytes);
    expect(answer.startsWith(start)).toBe(true);
    expect(answer).toMatch(/^x-request-id: req-[a-z0-9]+-1\r$/m);
    expect(answer).toMatch(/^x-fabric-host: none\r$/m);
    expect(answer).toMatch(/^x-fabric-attempts: 0\r$/m);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      error: { type: 'invalid_request_error', code: 'bad_request', param: null },
    });
  });
});

test.each([
  ['without a host', 'GET / HTTP/1.1\r\n\r\n'],
  ['for a whole URL', 'GET http://evil/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n'],
])(
  'a request %s is refused in the envelope that clients read, before it reaches a room',
  async (_, bytes) => {
    const listeners = await open(['127.0.0.1']);
    const answer = await exchange(Number(new URL(listeners.plainUrls[0] ?? '').port), bytes);
    expect(answer.startsWith('HTTP/1.1 400 ')).toBe(true);
    expect(answer).toMatch(/^x-fabric-reason: invalid_request\r$/m);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      error: { type: 'invalid_request_error', code: 'invalid_request' },
    });
  },
);

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
