import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventSplitter } from './split-events.js';

/** The events of a stream that arrives in these chunks, and what is left of the last one. */
function split(chunks: readonly Uint8Array[]): { events: string[]; rest: string } {
  const splitter = new EventSplitter();
  const events: string[] = [];
  let pending: number[] = [];
  for (const chunk of chunks) {
    let from = 0;
    for (let end = splitter.nextEnd(chunk, 0); end >= 0; end = splitter.nextEnd(chunk, end)) {
      events.push(Buffer.from([...pending, ...chunk.subarray(from, end)]).toString('latin1'));
      pending = [];
      from = end;
    }
    pending.push(...chunk.subarray(from));
  }
  return { events, rest: Buffer.from(pending).toString('latin1') };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const latin = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point));
}

describe('EventSplitter', () => {
  it.each([
    ['data: a\n\ndata: b\n\n', ['data: a\n\n', 'data: b\n\n'], ''],
    ['data: a\r\n\r\ndata: b\r\n\r\n', ['data: a\r\n\r\n', 'data: b\r\n\r\n'], ''],
    ['data: a\r\n\ndata: b\n\r\n', ['data: a\r\n\n', 'data: b\n\r\n'], ''],
    ['data: a\ndata: b\n\n', ['data: a\ndata: b\n\n'], ''],
    [': ping\n\ndata: a', [': ping\n\n'], 'data: a'],
    ['\n\ndata: a\n', ['\n', '\n'], 'data: a\n'],
    ['data: a\n\r', [], 'data: a\n\r'],
    ['data: a\n\rb\n\n', ['data: a\n\rb\n\n'], ''],
    ['data: \r\r\n\n', ['data: \r\r\n\n'], ''],
    ['', [], ''],
  ])('splits %j', (text, events, rest) => {
    expect(split([bytesOf(text)])).toEqual({ events, rest });
    expect(split([...bytesOf(text)].map((byte) => Uint8Array.of(byte)))).toEqual({ events, rest });
  });

  it('finds the same events wherever the stream is cut, inside a UTF-8 character or a CRLF too', () => {
    const event = fc
      .tuple(
        fc.array(
          fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, '')),
          { minLength: 1, maxLength: 3 },
        ),
        fc.constantFrom('\n', '\r\n'),
      )
      .map(([lines, end]) => `${lines.map((line) => `data: ${line}${end}`).join('')}${end}`);
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (events, cuts) => {
          const bytes = bytesOf(events.join(''));
          expect(split(cut(bytes, cuts))).toEqual({ events: events.map(latin), rest: '' });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('loses and adds no byte, whatever comes', () => {
    const soup = fc.array(fc.constantFrom(0x0a, 0x0d, 0x64, 0x3a, 0xc3, 0xa4), { maxLength: 60 });
    fc.assert(
      fc.property(soup, fc.array(fc.nat(), { maxLength: 12 }), (codes, cuts) => {
        const bytes = Uint8Array.from(codes);
        const whole = split([bytes]);
        expect(whole.events.join('') + whole.rest).toBe(Buffer.from(bytes).toString('latin1'));
        expect(split(cut(bytes, cuts))).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });
});
