import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from './testing/fake-router.js';
import { openFilesIn } from './testing/open-files.js';
import { ask, errorOf, gatewayKey, TestGateway, until } from './testing/test-gateway.js';

const MIB = 1024 * 1024;
const ANSWER = '{"choices":[]}';

describe('a body that is too large to hold', () => {
  let router: FakeRouter;
  let test: TestGateway;
  let spoolDirectory: string;
  let seen: Buffer[];
  const closers: (() => void)[] = [];
  beforeEach(async () => {
    router = new FakeRouter();
    seen = [];
    spoolDirectory = await mkdtemp(join(tmpdir(), 'ai-fabric-spool-'));
    writeFileSync(join(spoolDirectory, 'left-by-a-crash'), 'x');
    test = await new TestGateway(router, {
      spoolDirectory,
      config: { maxBodyBytes: 40 * MIB, bodyTimeoutSeconds: 30 },
      keys: {
        find: () => gatewayKey({ keepsBodies: true }),
        anonymous: gatewayKey({ keyId: 'anonymous', name: 'anonymous' }),
      },
    }).start();
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) close();
    await test.close();
    await rm(spoolDirectory, { recursive: true, force: true });
  });

  const engine = async (name?: string): Promise<void> =>
    router.addDeployment(
      await test.engine((_request, response, body) => {
        seen.push(body);
        response.setHeader('content-type', 'application/json').end(ANSWER);
      }),
      name,
    );
  const post = (body: string | Buffer, headers = {}) =>
    ask(`${test.url}/v1/chat/completions`, { body, headers });

  /** It reads nothing. */
  async function deafEngine(onConnection: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      onConnection(socket.pause());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Bodies on the disk that are still held. */
  const openFiles = (): number => (process.platform === 'linux' ? openFilesIn(spoolDirectory) : 0);

  async function expectNothingLeft(): Promise<void> {
    expect(readdirSync(spoolDirectory)).toEqual([]);
    await until(() => openFiles() === 0, 'no file is open any more');
    await until(() => test.gateway.openRequests === 0, 'no request is open');
    expect(router.inflight).toBe(0);
  }

  it('of 30 MB, its model last, reaches the engine as it came, but for the model', async () => {
    await engine();
    const text = `{"messages":[{"content":"${'ü🌍\\"x'.repeat(3 * MIB)}"}],"stream":false,"model":"chat-fast"}`;
    const body = Buffer.from(`\ufeff${text}`);
    expect(body.length).toBeGreaterThan(27 * MIB);

    const answer = await post(body);

    expect(answer.text).toBe(ANSWER);
    expect(seen[0]?.equals(Buffer.from(text.replace('"chat-fast"', '"served/replica-1"')))).toBe(true);
    await expectNothingLeft();
  }, 30_000);

  it('is asked for its usage where it streams, and has each of its models replaced', async () => {
    await engine();
    const filler = 'x'.repeat(2 * MIB);
    await post(`{"model":"chat-fast","stream":true,"user":"${filler}","model":"chat-fast"}`);
    await post(`{"stream_options":{"a":1},"user":"${filler}","model":"chat-fast","stream":true}  `);
    expect(seen.map((body) => body.toString().replace(filler, '…'))).toEqual([
      '{"model":"served/replica-1","stream":true,"user":"…","model":"served/replica-1","stream_options":{"include_usage":true}}',
      '{"stream_options":{"include_usage":true,"a":1},"user":"…","model":"served/replica-1","stream":true}  ',
    ]);
  });

  it('is read anew for each engine that is asked', async () => {
    for (const name of ['broken', 'gone', 'healthy']) {
      router.addDeployment(
        await test.engine((_request, response, body) => {
          seen.push(body);
          if (name === 'broken') response.writeHead(500).end('{}');
          else if (name === 'gone') response.destroy();
          else response.setHeader('content-type', 'application/json').end(ANSWER);
        }),
        name,
      );
    }
    const answer = await post(`{"model":"chat-fast","user":"${'x'.repeat(3 * MIB)}"}`);
    expect(answer.text).toBe(ANSWER);
    expect(seen.map((body) => body.subarray(0, 30).toString())).toEqual(
      ['broken', 'gone', 'healthy'].map((name) => `{"model":"served/${name}","user":"xxx`.slice(0, 30)),
    );
    expect(seen.map(({ length }) => length - 3 * MIB)).toEqual([35, 33, 36]);
    await expectNothingLeft();
  });

  it('goes to an engine no faster than it reads', async () => {
    router.addDeployment(await deafEngine(() => undefined));
    const socket = connect(test.port, '127.0.0.1').on('error', () => undefined);
    const body = `{"model":"chat-fast","user":"${'x'.repeat(30 * MIB)}"}`;
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => router.inflight === 1, 'it is asked', 20_000);
    expect(openFiles()).toBe(process.platform === 'linux' ? 1 : 0);
    socket.destroy();
    await expectNothingLeft();
  }, 30_000);

  it('is let go of when its engine answers before it has read it', async () => {
    const refusal = '{"error":{"message":"no, not this"}}';
    const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${refusal.length}`;
    router.addDeployment(await deafEngine((socket) => socket.write(`${head}\r\n\r\n${refusal}`)));
    const answer = await post(`{"model":"chat-fast","user":"${'x'.repeat(30 * MIB)}"}`);
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toBe('no, not this');
    await expectNothingLeft();
  }, 30_000);

  it.each<[string, () => string | Buffer, string]>([
    ['goes wrong', () => `{"model":"chat-fast","x":"${'x'.repeat(2 * MIB)}",}`, 'byte 2097180'],
    ['ends too soon', () => `{"model":"chat-fast","x":"${'x'.repeat(2 * MIB)}`, 'ends too soon'],
    ['is a list', () => `[${'1,'.repeat(MIB)}1]`, 'must be a JSON object'],
    ['is nested too deep', () => `{"model":"chat-fast","x":${'['.repeat(2 * MIB)}`, 'deeper than 200'],
    ['lacks a model', () => `{"x":"${'x'.repeat(2 * MIB)}"}`, 'lacks "model"'],
    ['has a model that is no name', () => `{"x":"${'x'.repeat(2 * MIB)}","model":7}`, 'must be a name'],
    ['has a model that is no end', () => `{"model":"${'x'.repeat(2 * MIB)}"}`, 'must be a name'],
    [
      'is not UTF-8',
      () => Buffer.concat([Buffer.from('{"model":"'), Buffer.alloc(2 * MIB, 0xff)]),
      'not UTF-8',
    ],
  ])('that %s is refused, and nothing of it stays', async (_what, make, message) => {
    await engine();
    const answer = await post(make());
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toContain(message);
    expect(seen).toEqual([]);
    await expectNothingLeft();
  });

  it('is refused when it turns out larger than any that is taken', async () => {
    await engine();
    const socket = connect(test.port, '127.0.0.1').on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const piece = Buffer.from(`100000\r\n${'{"x":"'.padEnd(MIB, 'x')}\r\n`);
    let isFirst = true;
    const more = (): void => {
      while (!text.includes('request_too_large') && !socket.destroyed) {
        const sent = isFirst ? piece : Buffer.from(piece.toString().replace('{"x":"', 'xxxxxx'));
        isFirst = false;
        if (!socket.write(sent)) {
          socket.once('drain', more);
          return;
        }
      }
    };
    more();
    await until(() => text.includes('request_too_large'), 'it is refused', 20_000);
    socket.destroy();
    await expectNothingLeft();
  }, 30_000);

  it('of a client that leaves in its middle is forgotten', async () => {
    const socket = connect(test.port, '127.0.0.1').on('error', () => undefined);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000\r\n\r\n{"x":"${'x'.repeat(2 * MIB)}`,
    );
    if (process.platform === 'linux') await until(() => openFiles() === 1, 'it is on the disk');
    socket.destroy();
    await expectNothingLeft();
  });

  it('is refused as overload where the disk cannot take it', async () => {
    await engine();
    await rm(spoolDirectory, { recursive: true });
    const answer = await post(`{"model":"chat-fast","x":"${'x'.repeat(2 * MIB)}"}`);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(errorOf(answer)).toMatchObject({ code: 'overloaded', type: 'server_error' });
    expect(errorOf(answer).message).toContain('disk');
    expect(test.logLines.some((line) => line.includes(spoolDirectory))).toBe(true);
    expect((await post('{"model":"chat-fast"}')).status).toBe(200);
  });

  it('is kept by its beginning where its key asks for that', async () => {
    await engine();
    const body = `{"model":"chat-fast","x":"${'x'.repeat(2 * MIB)}"}`;
    await post(body, { authorization: 'Bearer keeping' });
    await until(() => test.bodies.length === 1, 'it is kept');
    expect(test.bodies[0]?.request).toMatchObject({ sizeBytes: body.length, cut: true });
    expect(test.bodies[0]?.request.text.startsWith('{"model":"chat-fast","x":"xxx')).toBe(true);
  });
});
