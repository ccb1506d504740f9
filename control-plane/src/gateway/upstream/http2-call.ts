import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { isTunnelErrorCode, TUNNEL_ERROR_HEADER } from '@ai-fabric/shared';
import type { TunnelLookup } from '../../tunnel/tunnel-book.js';
import type { BodySource } from '../body/body-source.js';
import { attemptFailure } from '../decide/attempt-failure.js';
import { classifyTunnelError, describeObstacle } from '../decide/classify-tunnel-error.js';
import type { TargetAddress } from './target-address.js';
import { type AnswerListener, type CallRequest, type CallTerms, UpstreamCall } from './upstream-call.js';

/** One call through the tunnel of a host. */
export class Http2Call extends UpstreamCall {
  readonly #request: CallRequest;
  readonly #address: Extract<TargetAddress, { kind: 'tunnel' }>;
  readonly #tunnels: TunnelLookup;
  #stream: ClientHttp2Stream | null = null;
  #redialled = false;

  constructor(
    listener: AnswerListener,
    request: CallRequest,
    terms: CallTerms,
    address: Extract<TargetAddress, { kind: 'tunnel' }>,
    tunnels: TunnelLookup,
  ) {
    super(listener, terms);
    this.#request = request;
    this.#address = address;
    this.#tunnels = tunnels;
  }

  send(): void {
    const { host, deployment, path } = this.#address;
    const { body } = this.#request;
    const headers = headersOf(this.#request);
    const tunnel = this.#tunnels.tunnel(host);
    const stream = tunnel?.open({ deployment, method: 'POST', path, headers }, true) ?? 'tunnel_down';
    if (typeof stream === 'string') {
      this.fail(describeObstacle(stream, host));
      return;
    }
    this.#stream = stream;
    // A stream that is closed has none any more.
    const { session } = stream;
    stream.on('response', (head) => this.#onHead(stream, head));
    stream.on('data', (chunk: Buffer) => {
      if (this.#stream === stream) this.dataCame(chunk);
    });
    stream.on('end', () => {
      // Node tells of an end where a stream was reset or its session died, too.
      const isWhole = stream.rstCode === constants.NGHTTP2_NO_ERROR && session?.destroyed === false;
      if (this.#stream === stream && isWhole && !this.isAsked) this.endCame();
    });
    stream.on('error', ignore);
    stream.on('close', () => this.#onClosed(stream, session?.destroyed !== false || session.closed));
    if (body instanceof Uint8Array) stream.end(body);
    else sendSource(body, stream);
  }

  #onHead(stream: ClientHttp2Stream, head: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    if (this.#stream !== stream || this.isOver) return;
    const code = head[TUNNEL_ERROR_HEADER];
    if (code === undefined) {
      this.headCame(head[':status'] ?? 0, head);
      return;
    }
    this.cutOff();
    if (code === 'engine_stale' && !this.#redialled) {
      this.#redialled = true;
      this.send();
    } else if (typeof code === 'string' && isTunnelErrorCode(code)) {
      this.fail(classifyTunnelError(code));
    } else {
      this.fail(attemptFailure('protocol_error', 'an agent gave an error that this program does not know'));
    }
  }

  /** @param withItsTunnel that is gone, or its agent takes nothing more: what it had not begun comes back as refused */
  #onClosed(stream: ClientHttp2Stream, withItsTunnel: boolean): void {
    if (this.#stream !== stream || this.isOver) return;
    const { host } = this.#address;
    if (withItsTunnel) {
      this.fail(describeObstacle('tunnel_down', host));
    } else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      this.fail(describeObstacle('tunnel_busy', host));
    } else {
      const code = this.isAsked ? 'reset' : 'truncated';
      this.fail(attemptFailure(code, `the stream was reset by the agent (${stream.rstCode})`));
    }
  }

  protected cutOff(): void {
    const stream = this.#stream;
    this.#stream = null;
    stream?.close(constants.NGHTTP2_CANCEL);
  }

  protected stopReading(): void {
    this.#stream?.pause();
  }

  protected startReading(): void {
    this.#stream?.resume();
  }
}

function headersOf({ headers, body }: CallRequest): Record<string, string> {
  const named: Record<string, string> = { 'content-length': String(body.length) };
  for (let index = 0; index + 1 < headers.length; index += 2) {
    named[headers[index] as string] = headers[index + 1] as string;
  }
  return named;
}

function sendSource(body: BodySource, stream: ClientHttp2Stream): void {
  const source = body.open();
  source.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  stream.on('close', () => source.destroy());
  source.pipe(stream);
}

/** What fails a stream also closes it, and that is what counts. */
function ignore(): void {}
