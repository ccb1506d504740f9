import { constants, type ServerHttp2Stream } from 'node:http2';
import { TUNNEL_ERROR_HEADER, type TunnelErrorCode, tunnelErrorStatus } from '@ai-fabric/shared';

/** Answers a request of the tunnel in the agent's own name. */
export function refuseStream(stream: ServerHttp2Stream, code: TunnelErrorCode, detail: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({
    ':status': tunnelErrorStatus[code],
    'content-type': 'text/plain; charset=utf-8',
    [TUNNEL_ERROR_HEADER]: code,
  });
  endStream(stream, Buffer.from(detail.slice(0, 500)));
}

/**
 * Ends an answer. What is still to come of its question is read by nobody: the peer is told to leave it.
 *
 * @param last goes out in the frame that ends it
 */
export function endStream(stream: ServerHttp2Stream, last: Buffer | null = null): void {
  if (!stream.readableEnded && !stream.endAfterHeaders) {
    stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  }
  if (last === null) stream.end();
  else stream.end(last);
}

/**
 * Resets a stream before its end. Not with `close`: that ends the answer first, which then looks whole to the peer. What
 * was not sent yet is lost.
 */
export function breakStream(stream: ServerHttp2Stream, why: string): void {
  stream.destroy(new Error(why));
}
