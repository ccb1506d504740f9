import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  HEARTBEAT_INTERVAL_MS,
  MAX_TUNNEL_STREAMS,
  PONG_DEADLINE_MS,
  TUNNEL_STREAM_WINDOW_BYTES,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { EngineAddress } from '../replica/engine-address.js';
import type { AgentEndpoints } from './agent-endpoints.js';
import { judgeTunnelRequest, type TunnelVerdict } from './decide/judge-tunnel-request.js';
import type { EngineConnections } from './engine-connections.js';
import { forwardToEngine } from './engine-exchange.js';
import type { TunnelInFlight } from './in-flight.js';
import { breakStream, refuseStream } from './refuse-stream.js';

/** Where a deployment's requests go now; `null`: nowhere, so that no new ones are let in. */
export type FindEngine = (deployment: string) => EngineAddress | null;

export interface TunnelService {
  readonly findEngine: FindEngine;
  readonly endpoints: AgentEndpoints;
  readonly inFlight: TunnelInFlight;
  readonly connections: EngineConnections;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface TunnelSession {
  /** Lets what is under way finish for as long as the peer does not cut it; takes nothing new. */
  destroy(): void;
}

const SESSION_OPTIONS = {
  settings: {
    enablePush: false,
    maxConcurrentStreams: MAX_TUNNEL_STREAMS,
    initialWindowSize: TUNNEL_STREAM_WINDOW_BYTES,
    maxHeaderListSize: 16 * 1024,
  },
  maxHeaderListPairs: 64,
  // Megabytes, for headers and for what is sent ahead of a slow reader.
  maxSessionMemory: 64,
  // A peer that goes on opening streams above the limit loses the tunnel.
  maxSessionRejectedStreams: 100,
  maxSessionInvalidFrames: 100,
};
/** The control plane pings more often than that. */
const SILENCE_MS = HEARTBEAT_INTERVAL_MS + PONG_DEADLINE_MS;
/** For all streams together; each stream has its own, smaller one. */
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Serves the control plane's requests on a connection that was proven. The socket must have no write under way: HTTP/2
 * would abort the process.
 *
 * @param onEnded called once, when the session is over and every stream with it
 */
export function serveTunnel(
  socket: Duplex,
  service: TunnelService,
  onEnded: (detail: string) => void,
): TunnelSession {
  const session = performServerHandshake(socket, SESSION_OPTIONS);
  session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  let detail = 'The control plane ended the tunnel.';
  let openStreams = 0;
  let heardAtMs = service.clock.monotonicMs();
  // The other side pings; a second ping the other way would wake this process twice as often and say nothing more.
  session.on('ping', () => {
    heardAtMs = service.clock.monotonicMs();
  });
  const watch = service.clock.every(SILENCE_MS, () => {
    if (service.clock.monotonicMs() - heardAtMs < SILENCE_MS) return;
    detail = `No sign of life through the tunnel for ${SILENCE_MS / 1000} s: the connection is dead.`;
    // Not the session alone: it would first wait for a write that is under way, and on a dead connection none ends.
    socket.destroy();
    session.destroy();
  });
  session.on('stream', (stream, headers) => {
    stream.on('error', ignore);
    openStreams += 1;
    stream.once('close', () => {
      openStreams -= 1;
    });
    serve(stream, headers, openStreams, service);
  });
  session.on('error', (error) => {
    detail = `The tunnel broke: ${error.message}.`;
  });
  session.once('close', () => {
    watch.cancel();
    socket.destroy();
    onEnded(detail);
  });
  return { destroy: () => session.destroy() };
}

function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  openStreams: number,
  service: TunnelService,
): void {
  const head = {
    method: text(headers[':method']),
    authority: text(headers[':authority']),
    path: text(headers[':path']),
  };
  const verdict = judgeTunnelRequest(head, openStreams);
  try {
    if (verdict.kind === 'refuse') refuseStream(stream, verdict.code, verdict.detail);
    else if (verdict.kind === 'engine') askEngine(stream, headers, verdict, service);
    else answerItself(stream, head.method, verdict, service);
  } catch (error) {
    service.log.error({ err: error }, 'tunnel: a request failed in the agent itself');
    breakStream(stream, 'the agent failed');
  }
}

function askEngine(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { deployment, method, path }: Extract<TunnelVerdict, { kind: 'engine' }>,
  { findEngine, inFlight, connections }: TunnelService,
): void {
  const engine = findEngine(deployment);
  if (engine === null) {
    refuseStream(stream, 'no_engine', 'no engine of this deployment takes requests here now');
    return;
  }
  stream.once('close', inFlight.begin(deployment));
  forwardToEngine(stream, { method, path, headers }, engine, connections);
}

function answerItself(
  stream: ServerHttp2Stream,
  method: string,
  { segments, query }: Extract<TunnelVerdict, { kind: 'agent' }>,
  { endpoints, log }: TunnelService,
): void {
  const [name = '', ...rest] = segments;
  const endpoint = endpoints.get(name);
  if (endpoint === undefined) {
    refuseStream(stream, 'path_not_allowed', 'this agent has no such path');
    return;
  }
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  const question = { method, segments: rest, query: new URLSearchParams(query) };
  endpoint(stream, question, gone.signal).catch((error: unknown) => {
    if (gone.signal.aborted) return;
    log.error({ err: error, endpoint: name }, 'tunnel: the agent could not answer');
    if (stream.headersSent) breakStream(stream, 'the agent failed');
    else refuseStream(stream, 'internal', 'the agent could not answer; its log says why');
  });
}

function text(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : '';
}

/** What fails a stream also closes it, and that is what counts. */
function ignore(): void {}
