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
  stream.write(detail.slice(0, 500));
  endStream(stream);
}

/** Ends an answer. What is still to come of its question is read by nobody: the peer is told to leave it. */
export function endStream(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded && !stream.endAfterHeaders) {
    stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  }
  stream.end();
}
