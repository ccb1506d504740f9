import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BootedFabric } from '../harness/boot-fabric.js';

describe('a client that writes its bytes itself', () => {
  let fabric: BootedFabric;

  beforeAll(async () => {
    fabric = await BootedFabric.boot({
      hosts: {
        armitage: {
          engines: {
            'qwen-armitage': {},
            'whisper-armitage': { task: 'transcription' },
            'bge-armitage': { task: 'rerank' },
          },
        },
      },
      roles: {
        'chat-fast': { targets: ['qwen-armitage'] },
        ears: { task: 'transcription', targets: ['whisper-armitage'] },
        judge: { task: 'rerank', targets: ['bge-armitage'] },
      },
    });
  });
  afterAll(() => fabric?.close());

  /** Writes the pieces one after the other and reads to the end of the connection. */
  async function speak(...pieces: readonly (string | Buffer)[]): Promise<{ head: string; body: string }> {
    const { hostname, port } = new URL(fabric.controlPlane.url);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    for (const piece of pieces) {
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    }
    let text = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    return { head: text.slice(0, end).toLowerCase(), body: text.slice(end + 4) };
  }

  const post = (path: string, type: string, length: number): string =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;

  test.each(['/v1/rerank', '/rerank'])('has documents ranked at %s', async (path) => {
    const body = '{"model":"judge","query":"q","documents":["a","b"]}';
    const answer = await speak(post(path, 'application/json', body.length), body);
    expect(answer.head).toMatch(/^http\/1\.1 200 ok\r\n/);
    expect(JSON.parse(answer.body)).toMatchObject({
      results: [{ document: { text: expect.any(String) } }, { index: expect.any(Number) }],
    });
  });

  test.each(['/v1/score', '/score'])('has texts scored at %s', async (path) => {
    const body = '{"text_1":"q","text_2":["a","b"],"model":"judge"}';
    const answer = await speak(post(path, 'application/json', body.length), body);
    expect(JSON.parse(answer.body)).toMatchObject({ data: [{ score: expect.any(Number) }, { index: 1 }] });
  });

  test.each(['/v1/messages', '/responses'])('streams %s in chunks of HTTP, an event each', async (path) => {
    const body =
      '{"model":"chat-fast","max_tokens":3,"stream":true,"messages":[{"role":"user","content":"x"}],"input":"x"}';
    const answer = await speak(post(path, 'application/json', body.length), body);
    expect(answer.head).toContain('content-type: text/event-stream');
    expect(answer.head).toContain('transfer-encoding: chunked');
    expect(answer.body).toMatch(/event: (message_stop|response\.completed)\ndata: /);
    expect(answer.body.endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  const boundary = 'x-boundary-x';
  const sound = Buffer.from([13, 10, 45, 45, 0, 255, 13, 10]);
  const form = Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`),
    sound,
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nears\r\n--${boundary}--\r\n`,
    ),
  ]);
  const type = `multipart/form-data; boundary=${boundary}`;

  test.each(['/v1/audio/transcriptions', '/audio/translations'])(
    'sends sound to %s, its model last, byte by byte',
    async (path) => {
      const pieces = Array.from({ length: form.length }, (_, index) => form.subarray(index, index + 1));
      const answer = await speak(post(path, type, form.length), ...pieces);
      expect(answer.head).toMatch(/^http\/1\.1 200 ok\r\n/);
      expect(JSON.parse(answer.body).text).toContain('8 bytes of a.wav');
      const sent = fabric.engine('whisper-armitage').inferenceRequests.at(-1);
      expect(sent?.headers['content-type']).toBe(type);
      expect(sent?.bodyText).toContain('served/whisper-armitage');
    },
  );

  test('sends a form in chunks of HTTP', async () => {
    const head = `POST /audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const half = form.length >> 1;
    const chunk = (bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
    const answer = await speak(head, chunk(form.subarray(0, half)), chunk(form.subarray(half)), '0\r\n\r\n');
    expect(JSON.parse(answer.body).text).toContain('8 bytes of a.wav');
  });

  test('is told at which byte its form breaks off', async () => {
    const cut = form.subarray(0, 150);
    const answer = await speak(post('/v1/audio/transcriptions', type, cut.length), cut);
    expect(answer.head).toMatch(/^http\/1\.1 400 /);
    expect(JSON.parse(answer.body).error).toMatchObject({
      code: 'invalid_multipart',
      message: expect.stringContaining('byte 150'),
    });
  });
});
