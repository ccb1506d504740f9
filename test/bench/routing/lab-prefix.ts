import { hashText } from './hash-text.js';
import type { LabRequest } from './workload.js';

/** As the gateway hashes: a boundary each so many bytes. */
const BLOCK_BYTES = 512;
const MOST_BOUNDARIES = 128;

export interface LabPrefix {
  readonly length: number;
  readonly words: Uint32Array;
  readonly atBytes: Uint32Array;
}

/**
 * What the gateway would hash of a request's prompt. Of an earlier turn it can know the question, which was sent, but not
 * the answer: what a later prompt repeats of that is new to it.
 *
 * @returns `null`: the prompt begins as no other does
 */
export function prefixOf(request: LabRequest, bytesPerToken: number): LabPrefix | null {
  const { pieces, leaves, promptTokens } = request;
  if (leaves === null) return null;
  const words = new Uint32Array(2 * MOST_BOUNDARIES);
  const atBytes = new Uint32Array(MOST_BOUNDARIES);
  const own = promptTokens - pieces.reduce((sum, { tokens }) => sum + tokens, 0);
  let length = 0;
  let bytes = 0;
  let before = '';
  for (const { id, tokens } of [...pieces, { id: leaves.id, tokens: own }]) {
    const end = bytes + tokens * bytesPerToken;
    for (;;) {
      const at = (length + 1) * BLOCK_BYTES;
      if (at > end || length === MOST_BOUNDARIES) break;
      const [high, low] = hashText(`${before}${id} ${at}`);
      words[2 * length] = high;
      words[2 * length + 1] = low;
      atBytes[length] = at;
      length += 1;
    }
    bytes = end;
    before += `${id}/`;
  }
  return { length, words, atBytes };
}
