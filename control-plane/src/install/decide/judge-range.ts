/** The bytes of a file that are asked for, both ends counted. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/i;

/**
 * Which part of a file is asked for (RFC 9110, 14.2). What is not understood, several parts at once, and a part of what is
 * not this file any more are asked for in vain: the answer is the whole file.
 *
 * @param ifRange the tag of the file that the client has the beginning of; it holds where it is this one's, to the letter
 * @returns `null`: the whole file
 */
export function judgeRange(
  range: string | undefined,
  ifRange: string | undefined,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
): ByteRange | 'unsatisfiable' | null {
  if (range === undefined || (ifRange !== undefined && ifRange.trim() !== `"${sha256}"`)) return null;
  const [, first = '', last = ''] = ONE_RANGE.exec(range.trim()) ?? [];
  if (first === '') return judgeEnding(last, bytes);
  const from = Number(first);
  if (last !== '' && Number(last) < from) return null;
  if (from >= bytes) return 'unsatisfiable';
  return { from, to: Math.min(last === '' ? bytes - 1 : Number(last), bytes - 1) };
}

/** `bytes=-500`: the last 500 bytes. */
function judgeEnding(length: string, bytes: number): ByteRange | 'unsatisfiable' | null {
  if (length === '') return null;
  if (Number(length) === 0 || bytes === 0) return 'unsatisfiable';
  return { from: Math.max(0, bytes - Number(length)), to: bytes - 1 };
}
