import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Listeners, openListeners } from './listeners.js';

const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
const LONG = 'x'.repeat(300_000);

describe('a request that asks for another protocol than WebSocket', () => {
  let listeners: Listeners;
  let upgrades = 0;
  beforeEach(async () => {
    upgrades = 0;
    const pair = await generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' });
    listeners = await openListeners({
      ...{ hosts: ['127.0.0.1'], port: 0, tlsPort: 0, random: () => 0, clock: new ManualClock() },
      certificate: { certificatePem: pair.cert, privateKeyPem: pair.private },
      log: pino({ level: 'silent' }),
      maxConnections: 4096,
      handlers: {
        isPrivileged: () => false,
        request: () => async (request, response) => {
          let length = 0;
          for await (const chunk of request) length += (chunk as Buffer).length;
          const { upgrade, connection, 'x-word': word } = request.headers;
          response.end(JSON.stringify({ url: request.url, length, upgrade, connection, word }));
        },
        upgrade: () => (_, socket) => {
          upgrades += 1;
          socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        },
      },
    });
  });
  afterEach(() => listeners.close());

  /** Sends bytes, and gives what came back when the other side has ended it. */
  async function exchange(encrypted: boolean, ...parts: readonly string[]): Promise<string> {
    const port = Number(new URL((encrypted ? listeners.tlsUrls : listeners.plainUrls)[0] ?? '').port);
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
    const socket = encrypted ? connectTls(options) : connectTcp(options);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    for (const part of parts) socket.write(part, 'latin1');
    await once(socket, 'close');
    return text;
  }
  const post = (headers: string, body: string): string =>
    `POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: localhost\r\nX-Word: gr\xfcn\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

  test.each([false, true])('is answered in HTTP/1.1, its body too (TLS: %s)', async (encrypted) => {
    const text = await exchange(encrypted, post(H2C, LONG), post('Connection: close\r\n', 'second'));
    const bodies = [...text.matchAll(/\{.*?\}/g)].map(
      ([json]) => JSON.parse(json) as Record<string, unknown>,
    );
    expect(bodies).toEqual([
      { url: '/v1/chat/completions?a=b', length: LONG.length, word: 'gr\xfcn' },
      { url: '/v1/chat/completions?a=b', length: 6, connection: 'close', word: 'gr\xfcn' },
    ]);
    expect(upgrades).toBe(0);
  });

  test('ends its connection where it asked for that too', async () => {
    const text = await exchange(false, post(`Connection: close, Upgrade\r\nUpgrade: h2c\r\n`, 'only'));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text.toLowerCase()).toContain('connection: close');
  });

  test('does not reach what speaks WebSocket, which other upgrades do', async () => {
    const text = await exchange(
      false,
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c, WebSocket\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 101 /);
    expect(upgrades).toBe(1);
  });
});
