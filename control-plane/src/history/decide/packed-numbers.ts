/** Forms of a number: a whole one, one in ten-thousandths, a float of 32 bits, one of 64. */
const WHOLE = 0;
const SCALED = 1;
const SINGLE = 2;
const DOUBLE = 3;

const SCALE = 10_000;
/** Up to here a variable-length number takes no more bytes than a float of 32 bits. */
const SHORT = 2 ** 27;
/** And up to here no more than one of 64. */
const LONG = 2 ** 48;
/** What adding up a bucket's samples leaves in the last digits. */
const ROUNDING = 1e-12;

/** Packs numbers into a buffer that it keeps. */
export class ByteWriter {
  #bytes = new Uint8Array(4_096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** @returns its place, for `patch` */
  byte(value: number): number {
    this.#reserve();
    this.#bytes[this.#length] = value;
    this.#length += 1;
    return this.#length - 1;
  }

  patch(place: number, value: number): void {
    this.#bytes[place] = value;
  }

  /** A whole number of at least 0: seven bits a byte, lowest first. */
  count(value: number): void {
    this.#reserve();
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length] = (rest % 128) | 128;
      this.#length += 1;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  /** @returns its form, which the reader must be told */
  number(value: number): number {
    return this.#scaled(value, 0) ?? this.#plain(value);
  }

  /** As `number`, but what differs from ten-thousandths by rounding alone is taken for them. */
  sum(value: number): number {
    return this.#scaled(value, Math.abs(value) * ROUNDING) ?? this.#plain(value);
  }

  #scaled(value: number, tolerance: number): number | null {
    if (Number.isInteger(value) && Math.abs(value) < SHORT) {
      this.#signed(value);
      return WHOLE;
    }
    const scaled = Math.round(value * SCALE);
    if (Math.abs(scaled) >= SHORT || Math.abs(scaled / SCALE - value) > tolerance) return null;
    this.#signed(scaled);
    return SCALED;
  }

  #plain(value: number): number {
    this.#reserve();
    if (Math.fround(value) === value) {
      this.#view.setFloat32(this.#length, value);
      this.#length += 4;
      return SINGLE;
    }
    if (Number.isInteger(value) && Math.abs(value) < LONG) {
      this.#signed(value);
      return WHOLE;
    }
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
    return DOUBLE;
  }

  /** The sign in the lowest bit. */
  #signed(value: number): void {
    this.count(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #reserve(): void {
    if (this.#length + 16 <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what `ByteWriter` wrote. Bytes that end too early read as 0. */
export class ByteReader {
  #bytes: Uint8Array = new Uint8Array();
  /** Most rows hold no float. */
  #view: DataView | null = null;
  #at = 0;
  #end = 0;

  /** @param at where they begin in `bytes` @param end where they end */
  begin(bytes: Uint8Array, at: number, end: number): this {
    if (bytes !== this.#bytes) this.#view = null;
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    return this;
  }

  byte(): number {
    const at = this.#at;
    this.#at = at + 1;
    return at < this.#end ? (this.#bytes[at] as number) : 0;
  }

  /** Of a hundred thousand numbers of a chart most have one to four bytes: no multiplication for those. */
  count(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    let byte = at < end ? (bytes[at] as number) : 0;
    let value = byte & 127;
    at += 1;
    for (let shift = 7; byte >= 128 && shift < 28; shift += 7, at += 1) {
      byte = at < end ? (bytes[at] as number) : 0;
      value |= (byte & 127) << shift;
    }
    for (let factor = 2 ** 28; byte >= 128; factor *= 128, at += 1) {
      byte = at < end ? (bytes[at] as number) : 0;
      value += (byte & 127) * factor;
    }
    this.#at = at;
    return value;
  }

  number(form: number): number {
    if (form === WHOLE) return this.#signed();
    if (form === SCALED) return this.#signed() / SCALE;
    const at = this.#at;
    this.skipNumber(form);
    if (this.#at > this.#end) return 0;
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return form === SINGLE ? this.#view.getFloat32(at) : this.#view.getFloat64(at);
  }

  skipNumber(form: number): void {
    if (form === SINGLE) this.#at += 4;
    else if (form === DOUBLE) this.#at += 8;
    else {
      const bytes = this.#bytes;
      const end = this.#end;
      let at = this.#at;
      while (at < end && (bytes[at] as number) >= 128) at += 1;
      this.#at = at + 1;
    }
  }

  #signed(): number {
    const value = this.count();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
}
