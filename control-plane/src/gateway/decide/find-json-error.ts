import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-bytes.js';

/** Where a text stops being JSON. */
export interface JsonFault {
  /** Index of the first byte that cannot stand there; the length where the end came too soon. */
  readonly at: number;
  readonly expected: string;
}

/**
 * Finds the first fault of a document, or says that it has none, exactly as `JSON.parse` would judge it. It builds
 * nothing, so it costs less than a parse whose result nobody needs, and it knows the position, which V8's own messages
 * often lack.
 *
 * @param bytes UTF-8 without a byte order mark
 * @param maxDepth nesting beyond it counts as a fault
 * @returns `null` where the document is JSON
 */
export function findJsonError(bytes: Uint8Array, maxDepth: number): JsonFault | null {
  const checker = new JsonChecker(bytes, maxDepth);
  return checker.document() ? null : { at: checker.at, expected: checker.expected };
}

/** Every method moves `at` over what it found, or leaves it at the fault, sets `expected` and returns false. */
class JsonChecker {
  at = 0;
  expected = '';
  readonly #bytes: Uint8Array;
  readonly #maxDepth: number;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
  }

  document(): boolean {
    if (!this.#value('a value', 0)) return false;
    this.#space();
    return this.at === this.#bytes.length || this.#fail('nothing more');
  }

  #value(expected: string, depth: number): boolean {
    this.#space();
    switch (this.#bytes[this.at]) {
      case QUOTE:
        return this.#string();
      case OPEN_BRACE:
        return this.#object(depth + 1);
      case OPEN_BRACKET:
        return this.#array(depth + 1);
      case 0x74:
        return this.#word('true');
      case 0x66:
        return this.#word('false');
      case 0x6e:
        return this.#word('null');
      default:
        return this.#number(expected);
    }
  }

  #object(depth: number): boolean {
    if (depth > this.#maxDepth) return this.#fail(`no more than ${this.#maxDepth} levels of nesting`);
    this.at++;
    this.#space();
    if (this.#take(CLOSE_BRACE)) return true;
    let expected = 'a member name in double quotes or "}"';
    for (;;) {
      this.#space();
      if (this.#bytes[this.at] !== QUOTE) return this.#fail(expected);
      if (!this.#string()) return false;
      this.#space();
      if (!this.#take(COLON)) return this.#fail('":"');
      if (!this.#value('a value', depth)) return false;
      this.#space();
      if (this.#take(CLOSE_BRACE)) return true;
      if (!this.#take(COMMA)) return this.#fail('"," or "}"');
      expected = 'a member name in double quotes';
    }
  }

  #array(depth: number): boolean {
    if (depth > this.#maxDepth) return this.#fail(`no more than ${this.#maxDepth} levels of nesting`);
    this.at++;
    this.#space();
    if (this.#take(CLOSE_BRACKET)) return true;
    let expected = 'a value or "]"';
    for (;;) {
      if (!this.#value(expected, depth)) return false;
      this.#space();
      if (this.#take(CLOSE_BRACKET)) return true;
      if (!this.#take(COMMA)) return this.#fail('"," or "]"');
      expected = 'a value';
    }
  }

  #string(): boolean {
    const bytes = this.#bytes;
    for (let at = this.at + 1; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.at = at + 1;
        return true;
      }
      if (byte < 0x20) return this.#failAt(at, 'an escape for the control character (such as "\\n")');
      if (byte !== BACKSLASH) continue;
      at = this.#escape(at + 1);
      if (at < 0) return false;
    }
    return this.#failAt(bytes.length, 'the closing quote of a string');
  }

  /** @returns the index of the escape's last byte, or -1 */
  #escape(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== 0x75) {
      if (isEscape(bytes[at])) return at;
      this.#failAt(at, 'one of " \\ / b f n r t u after the backslash');
      return -1;
    }
    for (let digit = at + 1; digit <= at + 4; digit++) {
      if (isHex(bytes[digit])) continue;
      this.#failAt(digit, 'four hexadecimal digits');
      return -1;
    }
    return at + 4;
  }

  #word(word: string): boolean {
    for (let index = 0; index < word.length; index++) {
      if (this.#bytes[this.at + index] !== word.charCodeAt(index)) return this.#failAt(this.at + index, word);
    }
    this.at += word.length;
    return true;
  }

  #number(expected: string): boolean {
    const first = this.#bytes[this.at];
    if (first === 0x2d) this.at++;
    else if (!isDigit(first)) return this.#fail(expected);
    if (!this.#take(0x30) && !this.#digits()) return false;
    if (this.#take(0x2e) && !this.#digits()) return false;
    if (!this.#take(0x65) && !this.#take(0x45)) return true;
    if (!this.#take(0x2b)) this.#take(0x2d);
    return this.#digits();
  }

  #digits(): boolean {
    const from = this.at;
    while (isDigit(this.#bytes[this.at])) this.at++;
    return this.at > from || this.#fail('a digit');
  }

  #space(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.at++;
    }
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  #fail(expected: string): false {
    return this.#failAt(this.at, expected);
  }

  #failAt(at: number, expected: string): false {
    this.at = Math.min(at, this.#bytes.length);
    this.expected = expected;
    return false;
  }
}

/** One of " \ / b f n r t */
function isEscape(byte: number | undefined): boolean {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHex(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
