/** Where a text stops being JSON. */
export interface JsonFault {
  /** Index of the first byte that cannot stand there; the length where the end came too soon. */
  readonly at: number;
  readonly expected: string;
}

type Expect = 'value' | 'valueOrClose' | 'key' | 'keyOrClose' | 'colon' | 'commaOrClose' | 'end';

const EXPECTED: Record<Expect, string> = {
  value: 'a value',
  valueOrClose: 'a value or "]"',
  key: 'a member name in double quotes',
  keyOrClose: 'a member name in double quotes or "}"',
  colon: '":"',
  commaOrClose: '"," or a closing bracket',
  end: 'nothing more',
};

const OBJECT = 0x7b;
const ARRAY = 0x5b;

/**
 * Finds the first fault of a document that `JSON.parse` refuses. V8's own messages often lack the position.
 *
 * @param bytes UTF-8 without a byte order mark
 * @returns `null` where the document is JSON
 */
export function findJsonError(bytes: Uint8Array): JsonFault | null {
  const open: number[] = [];
  let expect: Expect = 'value';
  let at = 0;
  for (;;) {
    while (isSpace(bytes[at])) at++;
    if (at >= bytes.length) return expect === 'end' ? null : { at, expected: EXPECTED[expect] };
    const step = take(bytes, at, expect, open);
    if ('expected' in step) return step;
    at = step.next;
    expect = step.expect;
  }
}

type Step = JsonFault | { readonly next: number; readonly expect: Expect };

function take(bytes: Uint8Array, at: number, expect: Expect, open: number[]): Step {
  const byte = bytes[at];
  if (expect === 'colon' && byte === 0x3a) return { next: at + 1, expect: 'value' };
  if (expect === 'key' || expect === 'keyOrClose') return takeKey(bytes, at, expect, open);
  if (expect === 'value' || expect === 'valueOrClose') return takeValue(bytes, at, expect, open);
  if (expect === 'commaOrClose') {
    const inObject = open.at(-1) === OBJECT;
    if (byte === 0x2c) return { next: at + 1, expect: inObject ? 'key' : 'value' };
    if (byte === (inObject ? 0x7d : 0x5d)) return close(at, open);
  }
  return { at, expected: EXPECTED[expect] };
}

function takeKey(bytes: Uint8Array, at: number, expect: Expect, open: number[]): Step {
  if (bytes[at] === 0x7d && expect === 'keyOrClose') return close(at, open);
  if (bytes[at] !== 0x22) return { at, expected: EXPECTED[expect] };
  return takeString(bytes, at, 'colon');
}

function takeValue(bytes: Uint8Array, at: number, expect: Expect, open: number[]): Step {
  const byte = bytes[at];
  if (byte === 0x5d && expect === 'valueOrClose') return close(at, open);
  const after: Expect = open.length === 0 ? 'end' : 'commaOrClose';
  if (byte === OBJECT || byte === ARRAY) {
    open.push(byte);
    return { next: at + 1, expect: byte === OBJECT ? 'keyOrClose' : 'valueOrClose' };
  }
  if (byte === 0x22) return takeString(bytes, at, after);
  if (byte === 0x74) return takeWord(bytes, at, 'true', after);
  if (byte === 0x66) return takeWord(bytes, at, 'false', after);
  if (byte === 0x6e) return takeWord(bytes, at, 'null', after);
  if (byte === 0x2d || isDigit(byte)) return takeNumber(bytes, at, after);
  return { at, expected: EXPECTED[expect] };
}

function close(at: number, open: number[]): Step {
  open.pop();
  return { next: at + 1, expect: open.length === 0 ? 'end' : 'commaOrClose' };
}

function takeString(bytes: Uint8Array, from: number, after: Expect): Step {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x22) return { next: at + 1, expect: after };
    if (byte < 0x20) return { at, expected: 'an escape for the control character (such as "\\n")' };
    if (byte !== 0x5c) continue;
    at++;
    if (at >= bytes.length) break;
    if (bytes[at] === 0x75) {
      for (let digit = 1; digit <= 4; digit++) {
        if (!isHex(bytes[at + digit])) return { at: at + digit, expected: 'four hexadecimal digits' };
      }
      at += 4;
    } else if (!ESCAPES.has(bytes[at] as number)) {
      return { at, expected: 'one of " \\ / b f n r t u after the backslash' };
    }
  }
  return { at: bytes.length, expected: 'the closing quote of a string' };
}

const ESCAPES: ReadonlySet<number> = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);

function takeWord(bytes: Uint8Array, at: number, word: string, after: Expect): Step {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) return { at: at + index, expected: word };
  }
  return { next: at + word.length, expect: after };
}

function takeNumber(bytes: Uint8Array, from: number, after: Expect): Step {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  if (bytes[at] === 0x30) at++;
  else {
    const end = skipDigits(bytes, at);
    if (end === at) return { at, expected: 'a digit' };
    at = end;
  }
  if (bytes[at] === 0x2e) {
    const end = skipDigits(bytes, at + 1);
    if (end === at + 1) return { at: end, expected: 'a digit' };
    at = end;
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const signed = bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d ? at + 2 : at + 1;
    const end = skipDigits(bytes, signed);
    if (end === signed) return { at: end, expected: 'a digit' };
    at = end;
  }
  return { next: at, expect: after };
}

function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at++;
  return at;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

const isHex = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
