/**
 * Where a request id is looked up. An index over ids that clients choose would be written all over with every batch;
 * so rows are taken in stretches, and only the newest stretch is written. A look-up asks each stretch, newest first:
 * some hundreds of them for a million rows, a microsecond or two each.
 */
const STRETCH_ROWS = 8_192;
/** Of the hash within a stretch; a place stays below 2^53 for 17 billion rows. */
const HASH_SPAN = 2 ** 32;

export function stretchOf(sequence: number): number {
  return Math.floor(sequence / STRETCH_ROWS);
}

/** Two ids of one stretch share a place once in half a million rows; then the later row is the one that is found. */
export function placeOf(stretch: number, requestIdHash: number): number {
  return stretch * HASH_SPAN + requestIdHash;
}

/** FNV-1a over UTF-16 units: 32 bits, not negative. */
export function hashRequestId(requestId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < requestId.length; index += 1) {
    hash = Math.imul(hash ^ requestId.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
