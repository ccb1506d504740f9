/** A request as the lean engine needs it. */
export interface LeanRequest {
  readonly get: boolean;
  readonly path: string;
  readonly stream: boolean;
  /** Bytes that it took of the buffer. */
  readonly lengthBytes: number;
}

const HEAD_END = '\r\n\r\n';
const CHUNKED_END = '\r\n0\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

/**
 * The first whole request in a buffer: just as much of HTTP/1.1 as the contenders speak on the way to an engine.
 *
 * @returns `null` while it is not whole
 */
export function readRequest(buffer: Buffer): LeanRequest | null {
  const headEnd = buffer.indexOf(HEAD_END);
  if (headEnd === -1) return null;
  const head = buffer.toString('latin1', 0, headEnd);
  const bodyAt = headEnd + HEAD_END.length;
  const lengthBytes = wholeLength(buffer, head, headEnd, bodyAt);
  if (lengthBytes === null || buffer.length < lengthBytes) return null;
  return {
    get: head.startsWith('GET '),
    path: head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/')),
    stream: buffer.subarray(bodyAt, lengthBytes).includes('"stream":true'),
    lengthBytes,
  };
}

function wholeLength(buffer: Buffer, head: string, headEnd: number, bodyAt: number): number | null {
  if (CHUNKED.test(head)) {
    // An empty body's end begins in the head's own last line break.
    const at = buffer.indexOf(CHUNKED_END, headEnd + 2);
    return at === -1 ? null : at + CHUNKED_END.length;
  }
  return bodyAt + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
}
