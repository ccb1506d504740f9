import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import {
  AGENT_AUTHORITY,
  type Clock,
  HEARTBEAT_INTERVAL_MS,
  isTunnelErrorCode,
  MAX_TUNNEL_STREAMS,
  PingWatch,
  PONG_DEADLINE_MS,
  TUNNEL_ERROR_HEADER,
  TUNNEL_STREAM_WINDOW_BYTES,
  type TunnelErrorCode,
} from '@ai-fabric/shared';
import { type TunnelObstacle, TunnelObstacleError } from './tunnel-obstacle.js';

/** What is asked through a tunnel. */
export interface TunnelQuestion {
  /** A deployment that is declared on the tunnel's host, or `agent.fabric` for the agent itself. */
  readonly deployment: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TunnelReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Set where the agent itself could not pass the question on, or could not answer it. */
  readonly error: TunnelErrorCode | null;
  /** To be read, or destroyed, which ends the question at the agent. Fails where the tunnel ends first. */
  readonly body: Readable;
}

/** An open tunnel, as everybody but its owner sees it. */
export interface HostTunnel {
  readonly hostName: string;
  readonly openStreams: number;
  /**
   * Begins a question. Its body is to be written, and the stream closed or ended, by the caller; `error` and `close`
   * events come as HTTP/2 has them.
   */
  open(question: TunnelQuestion, hasBody: boolean): ClientHttp2Stream | TunnelObstacle;
  /**
   * Asks, and waits for the answer's head.
   *
   * @throws TunnelObstacleError, or the reason of `signal`, or an error where the tunnel ends first
   */
  request(
    question: TunnelQuestion & { readonly body?: string | null },
    signal?: AbortSignal,
  ): Promise<TunnelReply>;
}

export interface TunnelSessionOptions {
  readonly hostName: string;
  readonly clock: Clock;
  readonly isDeclaredHere: (deployment: string) => boolean;
  /** The agent takes nothing new; what is under way goes on. */
  readonly onLeaving: (tunnel: TunnelSession) => void;
  /** Called once, when the tunnel is over and every stream with it. */
  readonly onEnded: (tunnel: TunnelSession) => void;
}

const SESSION_OPTIONS = {
  settings: {
    enablePush: false,
    initialWindowSize: TUNNEL_STREAM_WINDOW_BYTES,
    maxHeaderListSize: 32 * 1024,
  },
  maxHeaderListPairs: 128,
  // Megabytes: what may wait of bodies that an agent takes slowly.
  maxSessionMemory: 256,
  maxSessionInvalidFrames: 100,
};
/** For all streams together; each stream has its own, smaller one. */
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;

/** The control plane's end of a tunnel: HTTP/2 over the connection that the agent dialled. */
export class TunnelSession implements HostTunnel {
  readonly hostName: string;
  readonly #options: TunnelSessionOptions;
  readonly #session: ClientHttp2Session;
  readonly #watch: PingWatch;
  #openStreams = 0;
  #endedWhy = 'the agent ended it';

  /** @param socket proven, and without a write under way: HTTP/2 would abort the process */
  constructor(socket: Duplex, options: TunnelSessionOptions) {
    this.hostName = options.hostName;
    this.#options = options;
    const session = connect(`http://${AGENT_AUTHORITY}`, {
      ...SESSION_OPTIONS,
      createConnection: () => socket,
    });
    this.#session = session;
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    this.#watch = new PingWatch({
      clock: options.clock,
      everyMs: HEARTBEAT_INTERVAL_MS,
      deadlineMs: PONG_DEADLINE_MS,
      ping: (answered) => {
        if (session.destroyed) return;
        session.ping((error) => {
          if (error === null) answered();
        });
      },
      onSilent: () => {
        this.end(`no sign of life for ${PONG_DEADLINE_MS / 1000} s`);
        // The session alone would first wait for a write that is under way, and on a dead connection none ends.
        socket.destroy();
      },
    });
    session.on('error', (error) => {
      this.#endedWhy = error.message;
    });
    session.on('goaway', () => {
      session.close();
      options.onLeaving(this);
    });
    session.once('close', () => {
      this.#watch.end();
      socket.destroy();
      options.onEnded(this);
    });
  }

  get openStreams(): number {
    return this.#openStreams;
  }

  get endedWhy(): string {
    return this.#endedWhy;
  }

  get isOpen(): boolean {
    return !this.#session.destroyed && !this.#session.closed;
  }

  /** Every stream ends, in an error: without one, Node would let each end as if its answer were whole. */
  end(why: string): void {
    this.#session.destroy(new Error(why), constants.NGHTTP2_CANCEL);
  }

  open(question: TunnelQuestion, hasBody: boolean): ClientHttp2Stream | TunnelObstacle {
    const { deployment, method, path, headers } = question;
    if (!this.isOpen) return 'tunnel_down';
    if (deployment !== AGENT_AUTHORITY && !this.#options.isDeclaredHere(deployment)) return 'not_declared';
    if (this.#openStreams >= MAX_TUNNEL_STREAMS) return 'tunnel_busy';
    const head: OutgoingHttpHeaders = {
      ...headers,
      ':method': method,
      ':path': path,
      ':authority': deployment,
      ':scheme': 'http',
    };
    const stream = this.#session.request(head, { endStream: !hasBody });
    this.#openStreams += 1;
    // Whoever asked hears of it; where nobody listens, it must not end the process.
    stream.on('error', ignore);
    stream.once('close', () => {
      this.#openStreams -= 1;
    });
    return stream;
  }

  request(
    question: TunnelQuestion & { readonly body?: string | null },
    signal?: AbortSignal,
  ): Promise<TunnelReply> {
    return new Promise((resolve, reject) => {
      const body = question.body ?? null;
      if (signal?.aborted) return reject(signal.reason);
      const stream = this.open(question, body !== null);
      if (typeof stream === 'string') return reject(new TunnelObstacleError(stream, this.hostName));
      const onAbort = (): void => stream.close(constants.NGHTTP2_CANCEL);
      signal?.addEventListener('abort', onAbort, { once: true });
      stream.once('response', (headers) => {
        const code = headers[TUNNEL_ERROR_HEADER];
        const error = typeof code === 'string' && isTunnelErrorCode(code) ? code : null;
        resolve({ status: headers[':status'] ?? 0, headers, error, body: stream });
      });
      stream.on('error', reject);
      stream.once('close', () => {
        signal?.removeEventListener('abort', onAbort);
        reject(
          signal?.aborted === true ? signal.reason : new TunnelObstacleError('tunnel_down', this.hostName),
        );
      });
      if (body !== null) stream.end(body);
    });
  }
}

function ignore(): void {}
