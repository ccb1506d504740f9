import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, readCount, readString, scanJsonMembers } from './scan-json-members.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function values(text: string, ...names: string[]): Record<string, string[]> {
  const bytes = bytesOf(text);
  const scan = scanJsonMembers(bytes, names);
  if (!scan.ok) throw new Error(`${scan.code} at ${scan.at}`);
  const found: Record<string, string[]> = {};
  for (const { name, start, end } of scan.found) {
    found[name] ??= [];
    found[name].push(new TextDecoder().decode(bytes.subarray(start, end)));
  }
  return found;
}

describe('scanJsonMembers', () => {
  it.each([
    ['{"model":"a"}', '"a"'],
    ['{"model": "a" }', '"a"'],
    [' \n{ "x":1 , "model"\t:\r"a"}', '"a"'],
    ['{"x":{"model":"inner"},"model":"a"}', '"a"'],
    ['{"x":["model",":",{"model":1}],"model":null}', 'null'],
    ['{"x":"\\"model\\":\\"b\\"","model":7}', '7'],
    ['{"x":"}","model":[1,{"a":"]"}]}', '[1,{"a":"]"}]'],
    ['{"mod\\u0065l":"a"}', '"a"'],
    ['{"\\u006d\\u006f\\u0064\\u0065\\u006c":"a"}', '"a"'],
    ['{"x":"\\\\","model":"a"}', '"a"'],
    [`{"x":"${'y'.repeat(500)}\\\\\\"${'z'.repeat(500)}","model":true}`, 'true'],
    ['{"model":"ü€🌍"}', '"ü€🌍"'],
    ['{"model":-1.5e3,"x":0}', '-1.5e3'],
  ])('finds the value of "model" in %s', (text, value) => {
    expect(values(text, 'model')).toEqual({ model: [value] });
  });

  it('finds duplicates in their order, and nothing of what it was not asked for', () => {
    expect(values('{"model":1,"models":2,"Model":3,"model":4,"stream":5}', 'model', 'stream')).toEqual({
      model: ['1', '4'],
      stream: ['5'],
    });
  });

  it.each([
    ['', 'truncated', 0],
    ['   ', 'truncated', 3],
    ['[]', 'not_an_object', 0],
    ['"text"', 'not_an_object', 0],
    ['7', 'not_an_object', 0],
    ['{', 'truncated', 1],
    ['{"a', 'truncated', 3],
    ['{"a"', 'truncated', 4],
    ['{"a":', 'truncated', 5],
    ['{"a":[1,2', 'truncated', 5],
    ['{"a":"b', 'truncated', 5],
    ['{"a":1', 'truncated', 6],
    ['{"a":1 "b":2}', 'malformed', 7],
    ['{a:1}', 'malformed', 1],
    ['{"a":1,}', 'malformed', 7],
    ['{"a":}', 'malformed', 5],
    ['{"a" 1}', 'malformed', 5],
    ['{}x', 'malformed', 2],
    ['{}{}', 'malformed', 2],
  ])('refuses %j as %s', (text, code, at) => {
    expect(scanJsonMembers(bytesOf(text), ['a'])).toEqual({ ok: false, code, at });
  });

  it('refuses a bomb of nesting, however large, without a stack', () => {
    const bomb = `{"a":${'['.repeat(2_000_000)}`;
    expect(scanJsonMembers(bytesOf(bomb), ['a'])).toMatchObject({ ok: false, code: 'too_deep' });
    const allowed = `{"a":${'['.repeat(MAX_DEPTH)}${']'.repeat(MAX_DEPTH)}}`;
    expect(scanJsonMembers(bytesOf(allowed), ['a']).ok).toBe(true);
  });

  it('refuses a member that is repeated without end', () => {
    const body = `{${'"model":1,'.repeat(100)}"x":1}`;
    expect(scanJsonMembers(bytesOf(body), ['model'])).toMatchObject({
      ok: false,
      code: 'too_many_duplicates',
    });
  });

  it('finds in any object the values that JSON.parse finds', () => {
    const key = fc.constantFrom('model', 'stream', 'a', '', 'mode', 'modell', '\\', '"', 'ü');
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        (object, indent) => {
          const written = JSON.stringify(object, null, indent);
          const found = values(written, 'model', 'stream');
          // Read back: JSON has no -0.
          const expected = JSON.parse(written);
          for (const name of ['model', 'stream']) {
            const text = found[name]?.at(-1);
            expect(text === undefined ? undefined : JSON.parse(text)).toEqual(expected[name]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        scanJsonMembers(bytes, ['model']);
      }),
    );
    const soup = fc.string({ unit: fc.constantFrom(...'{}[],:"\\0 modelstream') });
    fc.assert(
      fc.property(soup, (text) => {
        const scan = scanJsonMembers(bytesOf(text), ['model']);
        if (!scan.ok) expect(scan.at).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('readString', () => {
  it('reads what JSON.parse reads, with and without escapes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = bytesOf(JSON.stringify(text));
        expect(readString(bytes, 0, bytes.length)).toBe(JSON.parse(new TextDecoder().decode(bytes)));
      }),
    );
  });

  it.each(['7', 'null', '{}', '"', '""x', 'true'])('finds no string in %j', (text) => {
    expect(readString(bytesOf(text), 0, text.length)).toBeUndefined();
  });
});

describe('readCount', () => {
  it.each([
    ['0', 0],
    ['41', 41],
    ['123456789012345', 123456789012345],
    ['-1', null],
    ['1.5', null],
    ['1e3', null],
    ['null', null],
    ['', null],
    ['1234567890123456', null],
  ])('reads %j as %s', (text, count) => {
    expect(readCount(bytesOf(text), 0, text.length)).toBe(count);
  });
});
