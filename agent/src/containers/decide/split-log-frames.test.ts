import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogLine } from '../container-engine.js';
import { cutLogLines, endLogLines, noLineRests } from './cut-log-lines.js';
import { endLogFrames, noFrameRest, splitLogFrames } from './split-log-frames.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function frame(stream: 1 | 2, payload: Uint8Array): Uint8Array {
  const framed = new Uint8Array(8 + payload.length);
  framed[0] = stream;
  new DataView(framed.buffer).setUint32(4, payload.length);
  framed.set(payload, 8);
  return framed;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** All lines of a log that came in these chunks. */
function lines(chunks: readonly Uint8Array[]): LogLine[] {
  const found: LogLine[] = [];
  let frames = noFrameRest;
  let rests = noLineRests;
  const take = (piece: { stream: 'stdout' | 'stderr'; bytes: Uint8Array }): void => {
    const cut = cutLogLines(rests, piece);
    rests = cut.rests;
    found.push(...cut.lines);
  };
  for (const chunk of chunks) {
    const split = splitLogFrames(frames, chunk);
    frames = split.rest;
    split.pieces.forEach(take);
  }
  endLogFrames(frames).forEach(take);
  return [...found, ...endLogLines(rests)];
}

function cutAt(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => cut % (whole.length + 1)).sort((one, other) => one - other),
    whole.length,
  ];
  return places.slice(1).map((end, at) => whole.slice(places[at], end));
}

describe('a log', () => {
  test('of frames tells the streams apart', () => {
    const found = lines([concat([frame(1, bytes('one\n')), frame(2, bytes('two\n'))])]);
    expect(found).toEqual([
      { atMs: null, stream: 'stdout', text: 'one' },
      { atMs: null, stream: 'stderr', text: 'two' },
    ]);
  });

  test('of a terminal is raw', () => {
    expect(lines([bytes('one\r\ntwo')])).toEqual([
      { atMs: null, stream: 'stdout', text: 'one' },
      { atMs: null, stream: 'stdout', text: 'two' },
    ]);
  });

  test('that begins like a frame and is none is text', () => {
    expect(lines([new Uint8Array([1, 0])])[0]?.text).toBe('\u0001\u0000');
    expect(lines([new Uint8Array([1, 65, 66, 10])])[0]?.text).toBe('\u0001AB');
  });

  test('of frames with noise in it goes on as text', () => {
    const found = lines([concat([frame(1, bytes('one\n')), bytes('podman: error\n')])]);
    expect(found.map(({ text }) => text)).toEqual(['one', 'podman: error']);
  });

  test('an empty frame is nothing', () => {
    expect(lines([concat([frame(1, bytes('')), frame(1, bytes('one\n'))])]).map(({ text }) => text)).toEqual([
      'one',
    ]);
  });

  test('is the same however it was cut on its way', () => {
    const written = fc.array(
      fc.tuple(fc.constantFrom<1 | 2>(1, 2), fc.stringMatching(/^[a-zäö€😀 ]{0,20}$/u)),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(written, fc.array(fc.nat(2_000), { maxLength: 20 }), (parts, cuts) => {
        const whole = concat(parts.map(([stream, text]) => frame(stream, bytes(`${text}\n`))));
        const expected = parts.map(([stream, text]) => ({
          atMs: null,
          stream: stream === 1 ? 'stdout' : 'stderr',
          text,
        }));
        expect(lines(cutAt(whole, cuts))).toEqual(expected);
      }),
    );
  });

  test('of any bytes has short lines and no end of trouble', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        for (const { text } of lines(chunks)) expect(text.length).toBeLessThanOrEqual(4096);
      }),
    );
  });
});

describe('a line', () => {
  test.each([
    ['2026-11-24T22:24:42Z INFO starting', Date.UTC(2026, 10, 24, 22, 24, 42), 'INFO starting'],
    ['2026-11-24T22:24:42.867840653Z x', Date.UTC(2026, 10, 24, 22, 24, 42, 867), 'x'],
    ['2026-11-24T23:24:42.5+01:00 x', Date.UTC(2026, 10, 24, 22, 24, 42, 500), 'x'],
    ['2026-11-24T22:24:42Z ', Date.UTC(2026, 10, 24, 22, 24, 42), ''],
    ['2026-99-99T99:99:99Z x', null, 'x'],
    ['no time', null, 'no time'],
  ])('%s has its time', (line, atMs, text) => {
    expect(lines([bytes(`${line}\n`)])).toEqual([{ atMs, stream: 'stdout', text }]);
  });

  test('of a megabyte is cut, and says how much', () => {
    const [line] = lines([bytes(`${'x'.repeat(1_000_000)}\nnext\n`)]);
    expect(line?.text).toMatch(/^x{4056}… \[995944 more\]$/);
  });

  test('is cut between characters', () => {
    const [line] = lines([bytes(`${'😀'.repeat(4_000)}\n`)]);
    expect(line?.text).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
  });

  test('that is no UTF-8 is read all the same', () => {
    expect(lines([new Uint8Array([0x61, 0xff, 0xc3, 0x0a])])[0]?.text).toBe('a\ufffd\ufffd');
  });

  test('of a progress bar is its last state', () => {
    const bar = 'Loading safetensors:   0%\rLoading safetensors:  50%\rLoading safetensors: 100%\r\n';
    expect(lines([bytes(bar)])[0]?.text).toBe('Loading safetensors: 100%');
  });
});
