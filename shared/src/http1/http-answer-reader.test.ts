import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpAnswerReader } from './http-answer-reader.js';

const MAX_BYTES = 100;
const HEAD = 'HTTP/1.1 200 OK\r\n';

interface Read {
  readonly status: number;
  readonly body: string;
  readonly keeps: boolean;
  readonly whole: boolean;
}

function read(pieces: readonly string[], { ends = false } = {}): Read {
  let body = '';
  const reader = new HttpAnswerReader(
    {
      onHead: () => undefined,
      onBody: (part) => {
        body += part.toString('latin1');
      },
    },
    MAX_BYTES,
  );
  // One buffer for every piece, as a connection has it: nothing may be kept as a view of it.
  const buffer = Buffer.alloc(200_000);
  for (const piece of pieces) reader.take(buffer.subarray(0, buffer.write(piece, 'latin1')));
  const whole = ends ? reader.end() : reader.isWhole;
  return {
    status: reader.status,
    body,
    keeps: reader.keepsConnection,
    whole,
  };
}

const whole = (text: string, ends = false): Read => read([text], { ends });

describe('an answer', () => {
  it.each([
    ['by its length', `${HEAD}content-length: 5\r\n\r\nhello`, 'hello', true],
    ['of no length', `${HEAD}Content-Length:0\r\n\r\n`, '', true],
    [
      'in chunks',
      `${HEAD}Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n`,
      'hello',
      true,
    ],
    [
      'with a trailer',
      `${HEAD}transfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n`,
      '0123456789',
      true,
    ],
    [
      'behind early hints',
      `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${HEAD}content-length: 1\r\n\r\nx`,
      'x',
      true,
    ],
    ['that says goodbye', `${HEAD}content-length: 1\r\nConnection: Close\r\n\r\nx`, 'x', false],
    ['of the old protocol', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx', 'x', false],
    [
      'of the old protocol that stays',
      'HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nx',
      'x',
      true,
    ],
    [
      'with both a length and chunks',
      `${HEAD}content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      'x',
      false,
    ],
    ['with something behind it', `${HEAD}content-length: 1\r\n\r\nxy`, 'x', false],
    ['without words in its status', 'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx', 'x', true],
  ])('%s is read', (_, text, body, keeps) => {
    expect(whole(text)).toEqual({ status: 200, body, keeps, whole: true });
  });

  it.each([204, 304])('%d has no body', (status) => {
    expect(whole(`HTTP/1.1 ${status} x\r\n\r\n`)).toMatchObject({ status, body: '', whole: true });
  });

  it('that tells no end ends with the connection', () => {
    expect(whole(`${HEAD}\r\nhello`)).toMatchObject({ whole: false });
    expect(whole(`${HEAD}\r\nhello`, true)).toEqual({
      status: 200,
      body: 'hello',
      keeps: false,
      whole: true,
    });
  });

  it('is the same in whatever pieces it comes', () => {
    const answers = [
      `${HEAD}content-length: 5\r\n\r\nhello`,
      `${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n`,
      `HTTP/1.1 100 Continue\r\n\r\n${HEAD}\r\nhello`,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.array(fc.nat(120), { maxLength: 8 }), (text, places) => {
        const cuts = [0, ...places.map((place) => Math.min(place, text.length)), text.length].sort(
          (a, b) => a - b,
        );
        const pieces = cuts.slice(1).map((cut, at) => text.slice(cuts[at], cut));
        expect(read(pieces, { ends: true })).toEqual(whole(text, true));
        expect(read(pieces, { ends: true }).body).toBe('hello');
      }),
    );
  });
});

describe('what is no answer', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 999 x\r\n\r\n'],
    ['another protocol that nobody asked for', 'HTTP/1.1 101 x\r\nupgrade: h2c\r\n\r\n'],
    ['a folded header', `${HEAD}x: y\r\n z\r\n\r\n`],
    ['two lengths', `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nx`],
    ['a length below nothing', `${HEAD}content-length: -1\r\n\r\nx`],
    ['an encoding that we did not ask for', `${HEAD}transfer-encoding: gzip, chunked\r\n\r\nx`],
    ['a chunk without a size', `${HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\n`],
    ['a chunk that is longer than its size', `${HEAD}transfer-encoding: chunked\r\n\r\n1\r\nxyz\r\n`],
    ['hints and never an answer', 'HTTP/1.1 103 x\r\n\r\n'.repeat(17)],
    ['a head without end', `${HEAD}x: ${'y'.repeat(70_000)}`],
  ])('is refused: %s', (_, text) => {
    expect(() => whole(text)).toThrow(expect.objectContaining({ code: 'no_http' }));
  });

  it.each([
    ['by its length', `${HEAD}content-length: 101\r\n\r\n`],
    ['by its first chunk', `${HEAD}transfer-encoding: chunked\r\n\r\nffffffff\r\n`],
    ['by all its chunks', `${HEAD}transfer-encoding: chunked\r\n\r\n63\r\n${'x'.repeat(99)}\r\n2\r\n`],
    ['by what came', `${HEAD}\r\n${'x'.repeat(101)}`],
  ])('is given up when it is too long %s', (_, text) => {
    expect(() => whole(text)).toThrow(expect.objectContaining({ code: 'too_long' }));
  });

  it('is no answer yet, and none at the end either', () => {
    for (const text of [
      '',
      'HTTP/1.1 20',
      `${HEAD}content-length: 5\r\n\r\nhell`,
      `${HEAD}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n`,
    ]) {
      expect(whole(text, true).whole).toBe(false);
    }
  });

  it('never turns in circles, whatever comes', () => {
    const bits = fc.constantFrom(
      'HTTP/1.1 200 OK',
      '\r\n',
      '\r',
      '\n',
      'content-length: 3',
      'transfer-encoding: chunked',
      '3',
      'abc',
      '0',
      ':',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 30 }), (pieces) => {
        try {
          read(pieces, { ends: true });
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/no_http|too_long/) });
        }
      }),
    );
  });
});
