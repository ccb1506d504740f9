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
import {
  type FoundMember,
  type JsonScan,
  MAX_DEPTH,
  MAX_FOUND,
  MAX_KEY_BYTES,
  matchName,
} from './scan-json-members.js';

/** A member whose value is kept where it is short: the bytes around it are gone by when somebody asks. */
export interface ScannedMember extends FoundMember {
  readonly value: Uint8Array | null;
}

export type StreamedScan =
  | (Extract<JsonScan, { ok: true }> & { readonly found: readonly ScannedMember[] })
  | Extract<JsonScan, { ok: false }>;

/** Values up to this are kept. */
export const KEPT_VALUE_BYTES = 4 * 1024;

type State =
  | 'start'
  | 'first_key'
  | 'next_key'
  | 'in_key'
  | 'colon'
  | 'value'
  | 'in_string'
  | 'in_scalar'
  | 'in_container'
  | 'in_inner_string'
  | 'behind_value'
  | 'behind_object';

const IN_A_VALUE: ReadonlySet<State> = new Set<State>([
  'in_string',
  'in_scalar',
  'in_container',
  'in_inner_string',
]);
const INSIDE_A_VALUE: ReadonlySet<State> = new Set<State>(['in_string', 'in_container', 'in_inner_string']);

/**
 * The streaming twin of `scanJsonMembers`: the same result of the same bytes, however they are cut into chunks, and no
 * more memory than the short values that were asked for.
 */
export class JsonScanner {
  readonly #names: readonly string[];
  readonly #found: ScannedMember[] = [];
  #state: State = 'start';
  #fault: Extract<JsonScan, { ok: false }> | null = null;
  /** Bytes of earlier chunks. */
  #before = 0;
  #openAt = 0;
  #closeAt = 0;
  #isEmpty = false;
  #isEscaped = false;
  #depth = 0;
  #keyAt = 0;
  #name: string | undefined;
  #valueAt = 0;
  /** Of the key or the value that began in an earlier chunk, or is to be kept. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

  /** @param names of the members wanted, ASCII, at most 32 characters each */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** @returns false where it is known to be none: then `end` says why */
  push(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length && this.#fault === null; ) at = this.#step(chunk, at);
    this.#before += chunk.length;
    return this.#fault === null;
  }

  /** The members whose values began so far; that of the last one may go on. */
  get begun(): readonly FoundMember[] {
    const name = this.#name;
    if (name === undefined || !IN_A_VALUE.has(this.#state)) return this.#found;
    return [...this.#found, { name, start: this.#valueAt, end: this.#before }];
  }

  end(): StreamedScan {
    if (this.#fault === null && this.#state === 'in_scalar') this.#endValue(this.#before);
    if (this.#fault !== null) return this.#fault;
    if (this.#state !== 'behind_object') {
      const at = INSIDE_A_VALUE.has(this.#state) ? this.#valueAt : this.#before;
      return { ok: false, code: 'truncated', at };
    }
    return {
      ok: true,
      openAt: this.#openAt,
      closeAt: this.#closeAt,
      isEmpty: this.#isEmpty,
      found: this.#found,
    };
  }

  /** @returns the index behind what was taken; a fault is noted */
  #step(chunk: Uint8Array, at: number): number {
    switch (this.#state) {
      case 'in_key':
        return this.#key(chunk, at, at);
      case 'in_string':
      case 'in_scalar':
      case 'in_container':
      case 'in_inner_string':
        return this.#value(chunk, at);
      default:
        return this.#between(chunk, at);
    }
  }

  /** Between keys and values, where white space may stand. */
  #between(chunk: Uint8Array, from: number): number {
    const at = skipSpace(chunk, from);
    if (at >= chunk.length) return at;
    const byte = chunk[at] as number;
    const place = this.#before + at;
    switch (this.#state) {
      case 'start':
        if (byte !== OPEN_BRACE) return this.#fail('not_an_object', place, at);
        this.#openAt = place;
        this.#state = 'first_key';
        return at + 1;
      case 'first_key':
      case 'next_key':
        if (byte === CLOSE_BRACE && this.#state === 'first_key') {
          this.#isEmpty = true;
          return this.#close(place, at);
        }
        if (byte !== QUOTE) return this.#fail('malformed', place, at);
        this.#keyAt = place;
        this.#state = 'in_key';
        return this.#key(chunk, at, at + 1);
      case 'colon':
        if (byte !== COLON) return this.#fail('malformed', place, at);
        this.#state = 'value';
        return at + 1;
      case 'value':
        this.#valueAt = place;
        return this.#beginValue(chunk, at);
      case 'behind_value':
        if (byte === CLOSE_BRACE) return this.#close(place, at);
        if (byte !== COMMA) return this.#fail('malformed', place, at);
        this.#state = 'next_key';
        return at + 1;
      default:
        return this.#fail('malformed', place, at);
    }
  }

  /** @param from where the key, or what comes of it in this chunk, begins; @param at behind its opening quote */
  #key(chunk: Uint8Array, from: number, at: number): number {
    const end = this.#stringEnd(chunk, at);
    if (end < 0) {
      this.#keep(chunk, from, chunk.length, MAX_KEY_BYTES + 2);
      return chunk.length;
    }
    if (this.#pieceBytes === 0) {
      this.#name = matchName(chunk, from + 1, end - 1, this.#names);
    } else {
      this.#keep(chunk, from, end, MAX_KEY_BYTES + 2);
      const key = this.#takeKept(MAX_KEY_BYTES + 2);
      this.#name = key === null ? undefined : matchName(key, 1, key.length - 1, this.#names);
    }
    this.#forget();
    this.#state = 'colon';
    return end;
  }

  #beginValue(chunk: Uint8Array, at: number): number {
    const first = chunk[at];
    if (first === QUOTE) {
      this.#state = 'in_string';
      // The quote alone: what follows it is the string's.
      this.#keepValue(chunk, at, at + 1);
      return at + 1;
    }
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      this.#state = 'in_container';
      this.#depth = 0;
    } else if (first === COMMA || first === COLON || first === CLOSE_BRACE || first === CLOSE_BRACKET) {
      return this.#fail('malformed', this.#valueAt, at);
    } else {
      this.#state = 'in_scalar';
    }
    return at;
  }

  #value(chunk: Uint8Array, from: number): number {
    const end = this.#valueEnd(chunk, from);
    if (this.#fault !== null) return chunk.length;
    this.#keepValue(chunk, from, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    this.#endValue(this.#before + end);
    return end;
  }

  #valueEnd(chunk: Uint8Array, from: number): number {
    if (this.#state === 'in_string') return this.#stringEnd(chunk, from);
    return this.#state === 'in_scalar' ? this.#scalarEnd(chunk, from) : this.#containerEnd(chunk, from);
  }

  #endValue(place: number): void {
    const name = this.#name;
    if (name !== undefined) {
      if (this.#found.length >= MAX_FOUND) {
        this.#fail('too_many_duplicates', this.#keyAt, 0);
        return;
      }
      this.#found.push({ name, start: this.#valueAt, end: place, value: this.#takeKept(KEPT_VALUE_BYTES) });
    }
    this.#forget();
    this.#state = 'behind_value';
  }

  #scalarEnd(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) return at;
      if (byte === QUOTE || byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        return this.#fail('malformed', this.#valueAt, -1);
      }
    }
    return -1;
  }

  #containerEnd(chunk: Uint8Array, from: number): number {
    let at = from;
    if (this.#state === 'in_inner_string') {
      at = this.#stringEnd(chunk, at);
      if (at < 0) return -1;
      this.#state = 'in_container';
    }
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === QUOTE) {
        const end = this.#stringEnd(chunk, at + 1);
        if (end < 0) {
          this.#state = 'in_inner_string';
          return -1;
        }
        at = end - 1;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth++;
        if (this.#depth > MAX_DEPTH) return this.#fail('too_deep', this.#valueAt, -1);
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#depth === 0) return at + 1;
      }
    }
    return -1;
  }

  /** @returns the index behind the closing quote, or -1 where the chunk ends before it */
  #stringEnd(chunk: Uint8Array, from: number): number {
    let at = from;
    if (this.#isEscaped && at < chunk.length) {
      this.#isEscaped = false;
      at++;
    }
    for (;;) {
      const nearEnd = Math.min(chunk.length, at + SHORT_STRING_BYTES);
      for (; at < nearEnd; at++) {
        const byte = chunk[at];
        if (byte === QUOTE) return at + 1;
        if (byte === BACKSLASH) at++;
      }
      if (at >= chunk.length) {
        this.#isEscaped ||= at > chunk.length;
        return -1;
      }
      const quoteAt = chunk.indexOf(QUOTE, at);
      const end = quoteAt < 0 ? chunk.length : quoteAt;
      let slashes = 0;
      while (end - 1 - slashes >= at && chunk[end - 1 - slashes] === BACKSLASH) slashes++;
      const isOdd = slashes % 2 === 1;
      if (quoteAt < 0) {
        this.#isEscaped = isOdd;
        return -1;
      }
      if (!isOdd) return quoteAt + 1;
      at = quoteAt + 1;
    }
  }

  #close(place: number, at: number): number {
    this.#closeAt = place;
    this.#state = 'behind_object';
    return at + 1;
  }

  #keepValue(chunk: Uint8Array, from: number, to: number): void {
    if (this.#name !== undefined) this.#keep(chunk, from, to, KEPT_VALUE_BYTES);
  }

  /** Copies what is not too much: the chunk is its reader's. */
  #keep(chunk: Uint8Array, from: number, to: number, most: number): void {
    this.#pieceBytes += to - from;
    if (this.#pieceBytes <= most) this.#pieces.push(chunk.slice(from, to));
    else this.#pieces = [];
  }

  #takeKept(most: number): Uint8Array | null {
    if (this.#pieceBytes > most) return null;
    if (this.#pieces.length === 1) return this.#pieces[0] as Uint8Array;
    const whole = new Uint8Array(this.#pieceBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #forget(): void {
    this.#pieces = [];
    this.#pieceBytes = 0;
  }

  #fail(code: Extract<JsonScan, { ok: false }>['code'], place: number, at: number): number {
    this.#fault = { ok: false, code, at: place };
    return at;
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
