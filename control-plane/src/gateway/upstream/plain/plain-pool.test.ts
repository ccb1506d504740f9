import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../deadlines.js';
import type { AnswerListener } from '../upstream-call.js';
import { PlainPool } from './plain-pool.js';
import { writeRequestHead } from './write-request-head.js';

/** A second, as `vi.waitFor` has it, is nothing on a machine that has other work. */
const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 10 });

const HEAD = 'HTTP/1.1 200 OK\r\n';
const ok = (body: string, more = ''): string => `${HEAD}${more}content-length: ${body.length}\r\n\r\n${body}`;

/** What a call told, in the end: `200 hello`, or the code of its failure. */
class Heard implements AnswerListener {
  status = 0;
  body = '';
  readonly chunks: Buffer[] = [];
  readonly over: Promise<string>;
  #settle: (outcome: string) => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  onAnswerStart(status: number): void {
    this.status = status;
  }

  onAnswerData(chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onAnswerEnd(): void {
    this.#settle(`${this.status} ${Buffer.concat(this.chunks).toString()}`);
  }

  onAnswerFailed({ code }: { readonly code: string }): void {
    this.#settle(code);
  }

  onStalled(): void {
    this.#settle('stalled');
  }
}

type Answer = (socket: Socket, request: string, connection: number) => void;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An engine of raw bytes, and a pool of connections to it. */
async function setUp(answer: Answer, { maxConnections = 8, clock = systemClock() } = {}) {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    const number = connections;
    sockets.add(socket);
    let seen = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      const headEnd = seen.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(seen)?.[1]);
      if (headEnd < 0 || seen.length < headEnd + 4 + length) return;
      requests.push(seen);
      const whole = seen;
      seen = '';
      answer(socket, whole, number);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const deadlines = new Deadlines(clock, 50);
  const pool = new PlainPool(`http://127.0.0.1:${port}`, maxConnections, clock, deadlines);
  closers.push(async () => {
    await pool.destroy();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const ask = (body = '{}') => {
    const heard = new Heard();
    const nowMs = clock.monotonicMs();
    const call = pool.call(
      heard,
      { path: '/v1/chat/completions', headers: ['x-one', '1'], body: Buffer.from(body) },
      {
        timeouts: { firstByteMs: 10_000, idleMs: 10_000, totalAtMs: nowMs + 20_000, pausedMs: 10_000 },
        ...{ deadlines, clock, askedAtMs: nowMs },
      },
    );
    call.send();
    return { call, heard };
  };
  return { ask, pool, requests, connections: () => connections, sockets };
}

describe('connections to an engine', () => {
  it('are asked one thing at a time, and again', async () => {
    const { ask, requests, connections, pool } = await setUp((socket) => socket.write(ok('hello')));
    for (let count = 0; count < 5; count++) expect(await ask(`{"n":${count}}`).heard.over).toBe('200 hello');
    expect(connections()).toBe(1);
    expect(requests[4]).toMatch(
      /^POST \/v1\/chat\/completions HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: keep-alive\r\nx-one: 1\r\ncontent-length: 7\r\n\r\n\{"n":4\}$/,
    );
    expect(await Promise.all([ask(), ask(), ask()].map(({ heard }) => heard.over))).toEqual(
      Array.from({ length: 3 }, () => '200 hello'),
    );
    expect(pool.connections).toBe(3);
    expect(pool.openCalls).toBe(0);
  });

  it('are no more than they may be: what comes then waits, and what is given up there is passed over', async () => {
    const held: Socket[] = [];
    const { ask, connections, requests } = await setUp((socket) => void held.push(socket), {
      maxConnections: 2,
    });
    const asked = [ask('{"n":0}'), ask('{"n":1}'), ask('{"n":2}'), ask('{"n":3}')];
    await soon(() => expect(held).toHaveLength(2));
    asked[2]?.call.abort();
    for (const socket of held.splice(0)) socket.write(ok('x'));
    await soon(() => expect(held).toHaveLength(1));
    held[0]?.write(ok('y'));
    expect(await asked[3]?.heard.over).toBe('200 y');
    expect(connections()).toBe(2);
    expect(requests.map((request) => request.slice(-2, -1)).sort()).toEqual(['0', '1', '3']);
  });

  it('make room for what waits when one breaks', async () => {
    const { ask, connections } = await setUp(
      (socket, _request, number) => {
        if (number === 1) socket.destroy();
        else socket.write(ok('x'));
      },
      { maxConnections: 1 },
    );
    const [first, second] = [ask(), ask()];
    expect(await first?.heard.over).toBe('reset');
    expect(await second?.heard.over).toBe('200 x');
    expect(connections()).toBe(2);
  });

  it('that the engine closed while they waited are not used, or the request goes out anew, once', async () => {
    let answers = 0;
    const { ask, connections } = await setUp((socket) => {
      answers++;
      // The third: the engine's goodbye crosses the question.
      if (answers === 3) socket.destroy();
      else socket.write(ok('x'), () => answers === 1 && socket.destroy());
    });
    for (let count = 0; count < 3; count++) expect(await ask().heard.over).toBe('200 x');
    expect(connections()).toBe(3);
    const dying = await setUp((socket, _request, number) => {
      if (number === 1 && dying.requests.length === 1) socket.write(ok('x'));
      else socket.destroy();
    });
    expect(await dying.ask().heard.over).toBe('200 x');
    expect(await dying.ask().heard.over).toBe('reset');
    expect(dying.connections()).toBe(2);
  });

  it('that end long after the question are not asked again: the engine had it, and may have broken on it', async () => {
    const clock = new ManualClock();
    const { ask, connections, requests } = await setUp(
      (socket) => {
        if (requests.length === 1) {
          socket.write(ok('x'));
          return;
        }
        clock.advance(300);
        socket.destroy();
      },
      { clock },
    );
    expect(await ask().heard.over).toBe('200 x');
    expect(await ask().heard.over).toBe('reset');
    expect(requests).toHaveLength(2);
    expect(connections()).toBe(1);
  });

  it('are not used for longer than the engine keeps them', async () => {
    const clock = new ManualClock();
    let hint = '';
    const { ask, connections, pool } = await setUp((socket) => socket.write(ok('x', hint)), { clock });
    await ask().heard.over;
    clock.advance(3_999);
    await ask().heard.over;
    expect(connections()).toBe(1);
    clock.advance(4_001);
    hint = 'keep-alive: timeout=60\r\n';
    await ask().heard.over;
    expect(connections()).toBe(2);
    clock.advance(58_000);
    await ask().heard.over;
    expect(connections()).toBe(2);
    clock.advance(60_000);
    pool.endUnused();
    expect(pool.connections).toBe(0);
    // No time at all is left between the engine's answer and its goodbye.
    hint = 'keep-alive: timeout=1\r\n';
    await ask().heard.over;
    expect(pool.connections).toBe(0);
  });

  it.each([
    ['a second answer', `${ok('x')}${ok('y')}`],
    ['more than its length', ok('x').concat('tail')],
    ['"close"', ok('x', 'connection: close\r\n')],
    [
      'both a length and chunks',
      `${HEAD}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    ],
  ])('over which came %s are not used again', async (_, answer) => {
    const { ask, connections } = await setUp((socket) => socket.write(answer));
    expect(await ask().heard.over).toBe('200 x');
    expect(await ask().heard.over).toBe('200 x');
    expect(connections()).toBe(2);
  });

  it('that speak unasked are ended', async () => {
    const { ask, pool, sockets } = await setUp((socket) => socket.write(ok('x')));
    await ask().heard.over;
    for (const socket of sockets) socket.write(ok('forged'));
    await soon(() => expect(pool.connections).toBe(0));
    expect(await ask().heard.over).toBe('200 x');
  });

  it.each([
    ['in the middle of its head', 'HTTP/1.1 20', 'reset'],
    ['in the middle of its body', `${HEAD}content-length: 5\r\n\r\nhel`, 'truncated'],
    ['in the middle of a chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhel`, 'truncated'],
    ['with what is no HTTP', 'SSH-2.0-x\r\n\r\n', 'protocol_error'],
    ['behind a body that has no length', `${HEAD}\r\nhello`, '200 hello'],
  ])('end %s', async (_, answer, outcome) => {
    const { ask, pool } = await setUp((socket) => socket.end(answer));
    expect(await ask().heard.over).toBe(outcome);
    expect(pool.connections).toBe(0);
  });

  it('are read again after the end of an answer that its client did not keep up with', async () => {
    const { ask, connections } = await setUp((socket) => socket.write(ok('x'.repeat(40_000))));
    const first = ask();
    first.heard.onAnswerData = (chunk) => {
      first.heard.chunks.push(chunk);
      first.call.pause();
    };
    const resuming = setInterval(() => first.call.resume(), 1);
    expect(await first.heard.over).toBe(`200 ${'x'.repeat(40_000)}`);
    clearInterval(resuming);
    expect(await ask().heard.over).toBe(`200 ${'x'.repeat(40_000)}`);
    expect(connections()).toBe(1);
  });

  it('that do not come about in 5 s are given up', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 50);
    // An address of documentation: nobody answers there, or says at once that there is no way.
    const pool = new PlainPool('http://192.0.2.1:9', 1, clock, deadlines);
    const heard = new Heard();
    const timeouts = { firstByteMs: 60_000, idleMs: 60_000, totalAtMs: 60_000, pausedMs: 60_000 };
    const request = { path: '/v1/x', headers: [], body: Buffer.from('{}') };
    pool.call(heard, request, { timeouts, deadlines, clock, askedAtMs: 0 }).send();
    clock.advance(5_100);
    expect(await heard.over).toMatch(/^(?:connect_timeout|network_unreachable|connect_refused)$/);
    expect(pool.connections).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('give the same answer in whatever pieces it comes', async () => {
    const answers = [
      ok('hello'),
      `${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n`,
      `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok('hello')}`,
    ];
    let pieces: string[] = [];
    const { ask, connections } = await setUp((socket) => {
      const send = ([next, ...rest]: string[]): void => {
        if (next !== undefined) socket.write(next, () => setImmediate(send, rest));
      };
      send(pieces);
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...answers),
        fc.array(fc.nat(99), { maxLength: 6 }),
        async (text, cuts) => {
          const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort((a, b) => a - b);
          pieces = at.slice(1).map((cut, index) => text.slice(at[index], cut));
          expect(await ask().heard.over).toBe('200 hello');
        },
      ),
      { numRuns: 60 },
    );
    expect(connections()).toBe(1);
  });
});

describe('the head of a request to an engine', () => {
  it.each([
    ['a path with a line of its own', '/v1/x HTTP/1.1\r\nx: y', []],
    ['a path that is none', 'v1', []],
    ['a header with a line of its own', '/v1/x', ['traceparent', 'a\r\nb: c']],
    ['a header with what is no character of one', '/v1/x', ['traceparent', '€']],
  ])('is not sent with %s', (_, path, headers) => {
    expect(() => writeRequestHead('engine:8000', path, headers, 2)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CHAR' }),
    );
  });
});
