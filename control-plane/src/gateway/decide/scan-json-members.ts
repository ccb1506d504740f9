import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SHORT_STRING_BYTES,
} from './json-bytes.js';

/** Where the value of a top-level member stands: `[start, end)` in bytes, white space excluded. */
export interface FoundMember {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export type JsonScan =
  | {
      readonly ok: true;
      /** Index of the object's `{`. */
      readonly openAt: number;
      /** Index of the object's `}`. */
      readonly closeAt: number;
      readonly isEmpty: boolean;
      /** Members whose names were asked for, in the order of the bytes, duplicates included. */
      readonly found: readonly FoundMember[];
    }
  | {
      readonly ok: false;
      readonly code: 'not_an_object' | 'malformed' | 'truncated' | 'too_deep' | 'too_many_duplicates';
      readonly at: number;
    };

/** Deeper nesting is refused: parsers of engines overflow their stack at 200 to 1,000 levels and answer 500. */
export const MAX_DEPTH = 200;
export const MAX_FOUND = 64;
/** A name written wholly in escapes (`\u006d…`) takes six bytes a character. */
export const MAX_KEY_BYTES = 6 * 32;

/**
 * Finds the byte ranges of chosen top-level members without parsing the document.
 * Structure is followed (strings, nesting, commas, colons), values are not validated.
 *
 * @param bytes UTF-8 JSON without a byte order mark
 * @param names names of the members wanted, ASCII, at most 32 characters each
 */
export function scanJsonMembers(bytes: Uint8Array, names: readonly string[]): JsonScan {
  const openAt = skipSpace(bytes, 0);
  if (bytes[openAt] !== OPEN_BRACE) {
    return { ok: false, code: openAt < bytes.length ? 'not_an_object' : 'truncated', at: openAt };
  }
  const found: FoundMember[] = [];
  let at = skipSpace(bytes, openAt + 1);
  if (bytes[at] === CLOSE_BRACE) return closed(bytes, openAt, at, true, found);
  for (;;) {
    if (bytes[at] !== QUOTE) return failed(bytes, at);
    const keyEnd = skipString(bytes, at);
    if (keyEnd < 0) return failed(bytes, bytes.length);
    const colonAt = skipSpace(bytes, keyEnd);
    if (bytes[colonAt] !== COLON) return failed(bytes, colonAt);
    const start = skipSpace(bytes, colonAt + 1);
    const end = skipValue(bytes, start);
    if (end < 0)
      return end === TOO_DEEP ? { ok: false, code: 'too_deep', at: start } : failed(bytes, start, end);
    const name = matchName(bytes, at + 1, keyEnd - 1, names);
    if (name !== undefined) {
      if (found.length >= MAX_FOUND) return { ok: false, code: 'too_many_duplicates', at };
      found.push({ name, start, end });
    }
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return closed(bytes, openAt, at, false, found);
    if (bytes[at] !== COMMA) return failed(bytes, at);
    at = skipSpace(bytes, at + 1);
  }
}

function closed(
  bytes: Uint8Array,
  openAt: number,
  closeAt: number,
  isEmpty: boolean,
  found: readonly FoundMember[],
): JsonScan {
  const restAt = skipSpace(bytes, closeAt + 1);
  if (restAt < bytes.length) return { ok: false, code: 'malformed', at: restAt };
  return { ok: true, openAt, closeAt, isEmpty, found };
}

function failed(bytes: Uint8Array, at: number, reason = MALFORMED): JsonScan {
  const truncated = at >= bytes.length || reason === TRUNCATED;
  return { ok: false, code: truncated ? 'truncated' : 'malformed', at };
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
  }
  return at;
}

const TRUNCATED = -1;
const TOO_DEEP = -2;
const MALFORMED = -3;

/** @returns the index behind the closing quote of the string that opens at `from`, or TRUNCATED */
function skipString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  for (;;) {
    const nearEnd = Math.min(bytes.length, at + SHORT_STRING_BYTES);
    for (; at < nearEnd; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at++;
    }
    const quoteAt = bytes.indexOf(QUOTE, at);
    if (quoteAt < 0) return TRUNCATED;
    let slashes = 0;
    while (quoteAt - 1 - slashes >= at && bytes[quoteAt - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quoteAt + 1;
    at = quoteAt + 1;
  }
}

/** @returns the index behind the value that starts at `from`, or a negative reason */
function skipValue(bytes: Uint8Array, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return skipString(bytes, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(bytes, from);
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) break;
    if (byte === QUOTE || byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) return MALFORMED;
  }
  return at === from ? MALFORMED : at;
}

function skipContainer(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = skipString(bytes, at);
      if (end < 0) return end;
      at = end - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      if (depth > MAX_DEPTH) return TOO_DEEP;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return TRUNCATED;
}

/** `[start, end)` is a key without its quotes. */
export function matchName(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly string[],
): string | undefined {
  const length = end - start;
  if (length > MAX_KEY_BYTES) return undefined;
  for (const name of names) {
    if (name.length === length && equalsAscii(bytes, start, name)) return name;
  }
  return hasBackslash(bytes, start, end) ? matchEscaped(bytes, start, end, names) : undefined;
}

export function equalsAscii(bytes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function hasBackslash(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}

function matchEscaped(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly string[],
): string | undefined {
  const key = readJson(bytes, start - 1, end + 1);
  return typeof key === 'string' ? names.find((name) => name === key) : undefined;
}

const utf8 = new TextDecoder();

/** The value in `[start, end)`, or `undefined` where it is not JSON. */
export function readJson(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(utf8.decode(bytes.subarray(start, end)));
  } catch {
    return undefined;
  }
}

/** The string in `[start, end)`, or `undefined` where there is none. Names are short and plain: those need no parser. */
export function readString(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80 || byte === BACKSLASH) {
      const value = readJson(bytes, start, end);
      return typeof value === 'string' ? value : undefined;
    }
    text += String.fromCharCode(byte);
  }
  return bytes[start] === QUOTE && bytes[end - 1] === QUOTE && end - start >= 2 ? text : undefined;
}

/** The whole number in `[start, end)` that is not negative, or `null` where there is none. */
export function readCount(bytes: Uint8Array, start: number, end: number): number | null {
  if (end <= start || end - start > 15) return null;
  let count = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return null;
    count = count * 10 + digit;
  }
  return count;
}
