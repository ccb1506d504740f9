import { isUtf8 } from 'node:buffer';

/** Whether bytes are UTF-8, told chunk by chunk wherever they are cut. */
export class Utf8Checker {
  /** The beginning of a character whose rest is in the next chunk. */
  #rest: Uint8Array = NOTHING;

  /** @returns false where they are known not to be */
  push(chunk: Uint8Array): boolean {
    let from = 0;
    if (this.#rest.length > 0) {
      from = Math.min(lengthOf(this.#rest[0] as number) - this.#rest.length, chunk.length);
      const joined = new Uint8Array(this.#rest.length + from);
      joined.set(this.#rest);
      joined.set(chunk.subarray(0, from), this.#rest.length);
      this.#rest = NOTHING;
      if (joined.length < lengthOf(joined[0] as number)) {
        this.#rest = joined;
        return true;
      }
      if (!isUtf8(joined)) return false;
    }
    const cutAt = lastCharacter(chunk, from);
    if (cutAt < chunk.length) this.#rest = chunk.slice(cutAt);
    return isUtf8(chunk.subarray(from, cutAt));
  }

  /** @returns whether the last character is whole */
  end(): boolean {
    return this.#rest.length === 0;
  }
}

const NOTHING = new Uint8Array(0);

/** Where a character begins that this chunk does not end; the length where there is none. */
function lastCharacter(chunk: Uint8Array, from: number): number {
  for (let at = chunk.length - 1; at >= Math.max(from, chunk.length - 3); at--) {
    const byte = chunk[at] as number;
    if ((byte & 0xc0) === 0x80) continue;
    return at + lengthOf(byte) > chunk.length ? at : chunk.length;
  }
  return chunk.length;
}

/** Bytes of a character that begins so; what begins none is one byte, and no UTF-8. */
function lengthOf(first: number): number {
  if (first >= 0xf0) return first < 0xf8 ? 4 : 1;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}
