import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonError } from './find-json-error.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const find = (text: string) => findJsonError(bytesOf(text), 1_000);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('findJsonError', () => {
  it.each([
    ['', 0, 'a value'],
    ['   ', 3, 'a value'],
    ['{', 1, 'a member name'],
    ['{"a"', 4, '":"'],
    ['{"a":', 5, 'a value'],
    ['{"a":1', 6, '","'],
    ['{"a":1,', 7, 'a member name'],
    ['{"a":1,}', 7, 'a member name in double quotes'],
    ["{'a':1}", 1, 'a member name'],
    ['[1,]', 3, 'a value'],
    ['[1 2]', 3, '","'],
    ['{"a":1}x', 7, 'nothing more'],
    ['{"a":01}', 6, '","'],
    ['{"a":1.}', 7, 'a digit'],
    ['{"a":1e}', 7, 'a digit'],
    ['{"a":-}', 6, 'a digit'],
    ['{"a":+1}', 5, 'a value'],
    ['{"a":.5}', 5, 'a value'],
    ['{"a":nul}', 8, 'null'],
    ['{"a":True}', 5, 'a value'],
    ['{"a":"\n"}', 6, 'an escape'],
    ['{"a":"\\x"}', 7, 'after the backslash'],
    ['{"a":"\\u12"}', 10, 'hexadecimal'],
    ['{"a":"', 6, 'the closing quote'],
    ['"\\', 2, 'after the backslash'],
    ['{"a":NaN}', 5, 'a value'],
    ['{"a":1}{"b":2}', 7, 'nothing more'],
    ['\u00a0{}', 0, 'a value'],
  ])('finds the fault of %j at byte %i', (text, at, expected) => {
    const fault = find(text);
    expect(fault?.at).toBe(at);
    expect(fault?.expected).toContain(expected);
  });

  it.each([
    '{}',
    '[]',
    '0',
    '-0',
    '1e5',
    '1E+5',
    '1.5e-3',
    '"\\u00e9\\n"',
    ' {"a" : [ ] } \r\n',
    'true',
    '"ü"',
    '{"":{}}',
  ])('takes %j', (text) => expect(find(text)).toBeNull());

  it('agrees with JSON.parse on every document it is given', () => {
    fc.assert(fc.property(fc.json(), (text) => find(text) === null));
  });

  it('agrees with JSON.parse on documents with a byte cut out, put in or changed', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '0',
      '-',
      'e',
      '.',
      't',
      'null',
      ' ',
      '\n',
      'u00e9',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), pieces, fc.integer({ min: 0, max: 2 }), (text, where, piece, cut) => {
        const at = text.length === 0 ? 0 : where % (text.length + 1);
        const broken = text.slice(0, at) + piece + text.slice(at + cut);
        expect(find(broken) === null).toBe(isJson(broken));
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with JSON.parse on strings of JSON punctuation', () => {
    const soup = fc.string({ unit: fc.constantFrom(...'{}[],:"\\0123.eE+-tfn ua\n') });
    fc.assert(
      fc.property(soup, (text) => {
        expect(find(text) === null).toBe(isJson(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('never throws, whatever the bytes, and points into them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const fault = findJsonError(bytes, 10);
        if (fault !== null) {
          expect(fault.at).toBeGreaterThanOrEqual(0);
          expect(fault.at).toBeLessThanOrEqual(bytes.length);
        }
      }),
    );
  });

  it('calls nesting beyond the bound a fault instead of running out of stack', () => {
    expect(find('['.repeat(500_000))?.expected).toContain('levels of nesting');
    expect(find('{"a":'.repeat(500_000))?.expected).toContain('levels of nesting');
  });
});
