import type { PrefixHashes } from '../../router/predict/prefix-index.js';

/** A part of a body that goes into its prompt. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The longer a history, the coarser: half a kilobyte is some hundred tokens, a few blocks of an engine's cache. */
const BLOCK_BYTES = 512;
const FINE_BYTES = 64 * 1024;
/** No more is read of a prompt. */
const MOST_BYTES = 1024 * 1024;
const MOST_BOUNDARIES = FINE_BYTES / BLOCK_BYTES + Math.log2(MOST_BYTES / FINE_BYTES);

/** As hashes of texts begin; any numbers would do. */
const FIRST_HIGH = 0x811c9dc5;
const FIRST_LOW = 0x9e3779b9;

/**
 * Chain hashes over what prompts are made of, in one pass: two lanes of 32 bits, four bytes at a time, with a boundary
 * each 512 bytes up to 64 KB and then at each doubling up to 1 MB. Two bodies that are the same up to a boundary have the
 * same hash there. It tells what an engine may have seen before, and guards nothing: no secret key is in it.
 *
 * @param spans in the order in which engines put them into the prompt
 */
export function hashHistory(bytes: Uint8Array, spans: readonly Span[]): PrefixHashes {
  const words: number[] = [];
  const atBytes: number[] = [];
  let high = FIRST_HIGH;
  let low = FIRST_LOW;
  let done = 0;
  let boundary = BLOCK_BYTES;
  for (const { start, end } of spans) {
    let at = start;
    while (at < end && atBytes.length < MOST_BOUNDARIES) {
      const stop = Math.min(end, at + boundary - done);
      done += stop - at;
      for (; at + 4 <= stop; at += 4) {
        const word =
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24);
        high = Math.imul(((high << 13) | (high >>> 19)) ^ word, 0x9e3779b1);
        low = Math.imul(((low << 17) | (low >>> 15)) + word, 0x85ebca77);
      }
      for (; at < stop; at++) {
        high = Math.imul(((high << 13) | (high >>> 19)) ^ (bytes[at] as number), 0x9e3779b1);
        low = Math.imul(((low << 17) | (low >>> 15)) + (bytes[at] as number), 0x85ebca77);
      }
      if (done < boundary) continue;
      words.push(mixed(high), mixed(low));
      atBytes.push(boundary);
      boundary = boundary < FINE_BYTES ? boundary + BLOCK_BYTES : 2 * boundary;
    }
  }
  // Not `from`, which goes through an iterator: that took longer than the hashing of a short prompt.
  return { length: atBytes.length, words: new Uint32Array(words), atBytes: new Uint32Array(atBytes) };
}

/** A whole number below 2^52 for a name within others. */
export function hashNames(...names: readonly string[]): number {
  let high = FIRST_HIGH;
  let low = FIRST_LOW;
  for (const name of names) {
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at);
      high = Math.imul(((high << 13) | (high >>> 19)) ^ code, 0x9e3779b1);
      low = Math.imul(((low << 17) | (low >>> 15)) + code, 0x85ebca77);
    }
    // Between names: "ab", "c" is not "a", "bc".
    high = Math.imul(high ^ 0x10000, 0x9e3779b1);
    low = Math.imul(low + 0x10000, 0x85ebca77);
  }
  return (mixed(high) & 0xfffff) * 2 ** 32 + mixed(low);
}

/** The last bytes reach all bits (MurmurHash3's finish, by Austin Appleby). */
function mixed(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}
