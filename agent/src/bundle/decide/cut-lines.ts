/**
 * The first or the last lines of a text that fit. Lines stay whole: half a line may hold half a secret, which has not the
 * form of one any more.
 *
 * @param maxBytes in UTF-8
 */
export function cutLines(
  text: string,
  maxBytes: number,
  keeps: 'first' | 'last',
): { readonly text: string; readonly isCut: boolean } {
  if (Buffer.byteLength(text) <= maxBytes) return { text, isCut: false };
  const bytes = Buffer.from(text);
  if (keeps === 'first') {
    const end = bytes.lastIndexOf(10, maxBytes - 1);
    return { text: bytes.subarray(0, end + 1).toString('utf8'), isCut: true };
  }
  const from = bytes.indexOf(10, bytes.length - maxBytes - 1);
  return { text: from < 0 ? '' : bytes.subarray(from + 1).toString('utf8'), isCut: true };
}
