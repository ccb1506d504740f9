import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { systemClock } from '@ai-fabric/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Deadlines } from '../deadlines.js';
import { until } from '../testing/test-gateway.js';
import { PlainPool } from './plain/plain-pool.js';
import { UndiciPool } from './undici-pool.js';
import type { AnswerListener, UpstreamCall } from './upstream-call.js';
import type { UpstreamPool } from './upstream-pools.js';

const BYTES = Buffer.alloc(3_000_000, 'abcdefg');

describe.each(['plain', 'with TLS'])('connections %s', (kind) => {
  let server: Server;
  let deadlines: Deadlines;
  let pool: UpstreamPool;
  let seen: { length: number; isWhole: boolean }[];
  let answer: 'ok' | 'early' | 'hangUp';
  const heard: string[] = [];
  let opened: Readable[];

  beforeEach(async () => {
    seen = [];
    opened = [];
    heard.length = 0;
    answer = 'ok';
    server = createServer((request, response) => {
      if (answer === 'hangUp') {
        request.socket.destroy();
        return;
      }
      if (answer === 'early') {
        response.writeHead(400, { 'content-type': 'application/json' }).end('{}');
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        seen.push({ length: Number(request.headers['content-length']), isWhole: body.equals(BYTES) });
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const clock = systemClock();
    deadlines = new Deadlines(clock, 100);
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pool = kind === 'plain' ? new PlainPool(origin, 4, clock, deadlines) : new UndiciPool(origin, 4);
  });
  afterEach(async () => {
    await pool.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function ask(): UpstreamCall {
    const listener: AnswerListener = {
      onAnswerStart: (status) => void heard.push(`head ${status}`),
      onAnswerData: () => undefined,
      onAnswerEnd: () => void heard.push('end'),
      onAnswerFailed: ({ code }) => void heard.push(code),
      onStalled: () => undefined,
    };
    const body = {
      length: BYTES.length,
      open: () => {
        const pieces = Array.from({ length: 100 }, (_, index) =>
          BYTES.subarray(index * 30_000, index * 30_000 + 30_000),
        );
        const source = Readable.from(pieces, { objectMode: false });
        opened.push(source);
        return source;
      },
    };
    const clock = systemClock();
    const askedAtMs = clock.monotonicMs();
    const timeouts = { firstByteMs: 5_000, idleMs: 5_000, totalAtMs: askedAtMs + 20_000, pausedMs: 5_000 };
    const call = pool.call(
      listener,
      { path: '/v1/x', headers: [], body },
      { timeouts, deadlines, clock, askedAtMs },
    );
    call.send();
    return call;
  }

  it('bring a body as it is read, and are used again', async () => {
    for (const round of [1, 2]) {
      ask();
      await until(() => heard.filter((word) => word === 'end').length === round, 'it is answered');
    }
    expect(seen).toEqual([
      { length: BYTES.length, isWhole: true },
      { length: BYTES.length, isWhole: true },
    ]);
  });

  it('let go of the body when the answer comes before its end', async () => {
    answer = 'early';
    ask();
    await until(() => heard.includes('end'), 'it is answered');
    await until(() => opened.every((source) => source.destroyed), 'the body is let go of');
    answer = 'ok';
    ask();
    await until(() => seen.length === 1, 'the next is whole');
    expect(seen[0]?.isWhole).toBe(true);
  });

  it('let go of the body when the engine hangs up, or the call is given up', async () => {
    answer = 'hangUp';
    ask();
    await until(() => heard.length === 1, 'it failed');
    expect(heard).toEqual(['reset']);
    await until(() => opened.every((source) => source.destroyed), 'the body is let go of');
    answer = 'ok';
    ask().abort();
    await until(() => opened.every((source) => source.destroyed), 'the body is let go of');
  });
});
