const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/** Whether an answer is all there: where one at a time is under way, what has its end is whole. */
export function isWholeAnswer(buffer: Buffer): boolean {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const length = CONTENT_LENGTH.exec(buffer.toString('latin1', 0, headEnd))?.[1];
  if (length !== undefined) return buffer.length >= headEnd + 4 + Number(length);
  return buffer.subarray(-5).toString('latin1') === '0\r\n\r\n';
}
