import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner, KEPT_VALUE_BYTES, type StreamedScan } from './json-scanner.js';
import { MAX_DEPTH, scanJsonMembers } from './scan-json-members.js';

const NAMES = ['model', 'stream', 'a'];

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])].sort(
    (one, other) => one - other,
  );
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point));
}

function scan(chunks: readonly Uint8Array[]): StreamedScan {
  const scanner = new JsonScanner(NAMES);
  for (const chunk of chunks) {
    // A chunk is its reader's, who writes over it.
    const own = Uint8Array.from(chunk);
    const goesOn = scanner.push(own);
    own.fill(0x58);
    if (!goesOn) break;
  }
  return scanner.end();
}

/** The same of a scan of the whole, and the values that it finds. */
function expectTwin(bytes: Uint8Array, chunks: readonly Uint8Array[]): void {
  const whole = scanJsonMembers(bytes, NAMES);
  if (!whole.ok) {
    expect(scan(chunks)).toEqual(whole);
    return;
  }
  const found = whole.found.map((member) => {
    const value = bytes.subarray(member.start, member.end);
    return { ...member, value: value.length <= KEPT_VALUE_BYTES ? Uint8Array.from(value) : null };
  });
  expect(scan(chunks)).toEqual({ ...whole, found });
}

describe('JsonScanner', () => {
  const odd = [
    ...['', '   ', '[]', '"text"', '7', '{', '{"a', '{"a"', '{"a":', '{"a":[1,2', '{"a":"b', '{"a":1', '{}'],
    ...['{"a":1 "b":2}', '{a:1}', '{"a":1,}', '{"a":}', '{"a" 1}', '{}x', '{}{}', '{"a":1}  ', '{ }', '{,}'],
    ...['{"\\u0061":1}', '{"a\\"":1}', '{"x":"\\\\","a":"\\\\\\""}', '{"a":tr"ue}', '{"a":1:2}', '{"a":[}]'],
    ...['{"model":"ü€🌍","a":[{"model":1},"]"]}', ' \n{ "x":1 , "model"\t:\r"a"}', '{"a":"\\', '{"a":12 '],
    `{"a":${'['.repeat(MAX_DEPTH)}${']'.repeat(MAX_DEPTH)}}`,
    `{"a":${'['.repeat(MAX_DEPTH + 1)}${']'.repeat(MAX_DEPTH + 1)}}`,
    `{${'"a":1,'.repeat(64)}"x":1}`,
    `{${'"a":1,'.repeat(65)}"x":1}`,
    `{${'"a":1,'.repeat(64)}"a":1`,
    `{"a":"${'y'.repeat(KEPT_VALUE_BYTES - 2)}","a":"${'y'.repeat(KEPT_VALUE_BYTES - 1)}"}`,
    `{"x":"${'y'.repeat(500)}\\\\\\"${'\\"'.repeat(300)}","${'k'.repeat(300)}":1,"model":true}`,
  ];
  it.each(odd)('finds in %j what a scan of the whole finds, in one piece and byte by byte', (text) => {
    const bytes = Buffer.from(text);
    expectTwin(bytes, [bytes]);
    expectTwin(
      bytes,
      [...bytes].map((byte) => Uint8Array.of(byte)),
    );
  });

  it('finds in any object the same wherever it is cut', () => {
    const key = fc.constantFrom('model', 'stream', 'a', '', 'mode', 'modell', '\\', '"', 'ü');
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(), { maxLength: 12 }),
        (object, indent, cuts) => {
          const bytes = Buffer.from(JSON.stringify(object, null, indent));
          expectTwin(bytes, cut(bytes, cuts));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds in any bytes the same wherever they are cut', () => {
    const token = fc.constantFrom(
      ...['{', '}', '[', ']', '"', ',', ':', '\\', ' ', '\n', '0', 'true', '"a"', '"a":', '"model":', 'ü'],
    );
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 40 }).map((tokens) => Buffer.from(tokens.join(''))),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 12 }),
        (soup, isObject, cuts) => {
          const bytes = isObject ? Buffer.concat([Buffer.from('{"a":'), soup]) : soup;
          expectTwin(bytes, cut(bytes, cuts));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
