const MILLION = 1e6;
const FINE_BELOW = 1e9;
/** Up to here what stands before the last six digits is a number of 32 bits. */
const WHOLE_BELOW = 1e15;
/** No number is longer as text. */
const NUMBER_BYTES = 24;
const ZERO = 48;
const MINUS = 45;
const POINT = 46;

const utf8 = new TextEncoder();
const NULL = utf8.encode('null');

/**
 * Text of JSON as bytes, put down piece by piece: an answer of a hundred thousand numbers needs no object for each four
 * of them, nor a text for each one.
 */
export class JsonBytes {
  #bytes: Uint8Array;
  #length = 0;

  /** @param expectedBytes is no limit, but growing means copying */
  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  /** What was put down: a view, good until more is. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  text(text: string): void {
    this.piece(utf8.encode(text));
  }

  /** @param piece of JSON, ready as it is */
  piece(piece: Uint8Array): void {
    const length = piece.length;
    this.#reserve(length);
    const bytes = this.#bytes;
    const at = this.#length;
    for (let index = 0; index < length; index += 1) bytes[at + index] = piece[index] as number;
    this.#length = at + length;
  }

  /** Rounded: millionths are enough for a ratio or a second, whole ones for billions of bytes. What is not finite is `null`. */
  number(value: number): void {
    this.#reserve(NUMBER_BYTES);
    const isFine = Math.abs(value) < FINE_BELOW;
    const rounded = Math.round(isFine ? value * MILLION : value);
    const size = Math.abs(rounded);
    if (isFine || size < WHOLE_BELOW) this.#decimal(rounded < 0, size, isFine);
    else this.piece(Number.isFinite(value) ? utf8.encode(String(rounded)) : NULL);
  }

  /** @param size whole; where `isFine` in millionths, with no more digits than it needs */
  #decimal(isNegative: boolean, size: number, isFine: boolean): void {
    if (isNegative) this.#byte(MINUS);
    const high = Math.floor(size / MILLION);
    const low = size - high * MILLION;
    this.#digits(high);
    if (!isFine) this.#padded(low, 6);
    else if (low > 0) this.#fraction(low);
  }

  #byte(byte: number): void {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  /** @param value whole, below 2³⁰ */
  #digits(value: number): void {
    let count = 1;
    for (let bound = 10; value >= bound; bound *= 10) count += 1;
    this.#padded(value, count);
  }

  /** @param millionths 1 to 999,999 */
  #fraction(millionths: number): void {
    let count = 6;
    let rest = millionths | 0;
    while (rest % 10 === 0) {
      rest = (rest / 10) | 0;
      count -= 1;
    }
    this.#byte(POINT);
    this.#padded(rest, count);
  }

  #padded(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at -= 1) {
      const next = (rest / 10) | 0;
      bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#length += count;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
