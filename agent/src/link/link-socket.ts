import type { TLSSocket } from 'node:tls';
import { type Clock, LINK_PATH, MAX_FRAME_BYTES, reasonOfCloseCode } from '@ai-fabric/shared';
import { WebSocket } from 'ws';
import { explainHttpAnswer } from './decide/explain-dial-error.js';
import { dialPinnedTls, type PinnedAddress } from './dial-pinned-tls.js';
import { LinkError, type LinkFailure } from './link-failure.js';

/** An open connection to the control plane. Every method may be called after its end: it then does nothing. */
export interface LinkSocket {
  /** Of this very TLS session. */
  readonly certificateSha256: string;
  /** The address of this host that it leaves from; `null`: not known. */
  readonly localAddress: string | null;
  send(text: string): void;
  /** What was sent and the network has not taken yet. */
  bufferedBytes(): number;
  ping(): void;
  /** Closes in order; a side that does not answer is cut off after a second. */
  close(code: number, reason: string): void;
  /** Cuts the connection at once. */
  terminate(): void;
}

/** Called in the order of what happens; `ended` once and last. */
export interface LinkSocketListener {
  opened(socket: LinkSocket): void;
  /** `null` for a binary message: a link speaks text. */
  message(text: string | null): void;
  /** A ping or a pong of the other side. */
  sign(): void;
  ended(failure: LinkFailure): void;
}

/** A connection that is being made; `abort` gives it up, and `ended` follows. */
export interface LinkDial {
  abort(): void;
}

export type OpenLinkSocket = (address: PinnedAddress, listener: LinkSocketListener) => LinkDial;

const UPGRADE_TIMEOUT_MS = 10_000;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;
const CLOSE_TIMEOUT_MS = 1_000;

/** The only place that knows `ws`. */
export function linkSocketOpener(clock: Clock): OpenLinkSocket {
  return (address, listener) => {
    const giveUp = new AbortController();
    dialPinnedTls(address, clock, giveUp.signal).then(
      (tls) => upgrade(tls, address, listener, clock, giveUp.signal),
      (error: unknown) => listener.ended(failureOf(error, address)),
    );
    return { abort: () => giveUp.abort() };
  };
}

function upgrade(
  tls: TLSSocket,
  address: PinnedAddress,
  listener: LinkSocketListener,
  clock: Clock,
  signal: AbortSignal,
): void {
  const url = new URL(LINK_PATH, address.url.replace(/^https:/, 'wss:'));
  const ws = new WebSocket(url, {
    createConnection: () => tls,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    followRedirects: false,
    handshakeTimeout: UPGRADE_TIMEOUT_MS,
  });
  let failure: LinkFailure | null = null;
  const onAbort = (): void => ws.terminate();
  signal.addEventListener('abort', onAbort, { once: true });

  ws.on('open', () => {
    signal.removeEventListener('abort', onAbort);
    listener.opened(linkSocket(ws, tls, address.certificateSha256, clock));
  });
  ws.on('message', (data, isBinary) => listener.message(isBinary ? null : String(data)));
  ws.on('ping', () => listener.sign());
  ws.on('pong', () => listener.sign());
  ws.on('unexpected-response', (_request, response) => {
    failure = explainHttpAnswer(address.url, response.statusCode ?? 0);
    ws.terminate();
  });
  ws.on('error', (error) => {
    failure ??= describeSocketError(error, address);
  });
  ws.on('close', (code, reason) => {
    tls.destroy();
    listener.ended(failure ?? describeClose(code, reason.toString('utf8')));
  });
  if (signal.aborted) onAbort();
}

function linkSocket(ws: WebSocket, tls: TLSSocket, certificateSha256: string, clock: Clock): LinkSocket {
  const isOpen = (): boolean => ws.readyState === WebSocket.OPEN;
  return {
    certificateSha256,
    localAddress: tls.localAddress?.replace(IPV4_IN_IPV6, '') ?? null,
    send: (text) => {
      if (isOpen()) ws.send(text);
    },
    bufferedBytes: () => ws.bufferedAmount,
    ping: () => {
      if (isOpen()) ws.ping();
    },
    close: (code, reason) => {
      ws.close(code, reason);
      const cutOff = clock.after(CLOSE_TIMEOUT_MS, () => ws.terminate());
      ws.once('close', () => cutOff.cancel());
    },
    terminate: () => ws.terminate(),
  };
}

function failureOf(error: unknown, address: PinnedAddress): LinkFailure {
  if (error instanceof LinkError) return error.failure;
  return { code: 'unreachable', detail: `${address.url}: ${String(error)}` };
}

/** Errors of `ws` itself carry codes that begin so: what came was no WebSocket frame, or one too large. */
const WS_PROTOCOL_ERROR = /^WS_ERR_/;

function describeSocketError(error: NodeJS.ErrnoException, address: PinnedAddress): LinkFailure {
  const code = error.code ?? '';
  if (WS_PROTOCOL_ERROR.test(code)) {
    return {
      code: 'protocol_error',
      detail: `The control plane sent what is no frame: ${error.message} (${code}).`,
    };
  }
  return { code: 'lost', detail: `The connection to ${address.url} broke: ${error.message}.` };
}

function describeClose(code: number, text: string): LinkFailure {
  const reason = reasonOfCloseCode(code);
  // A goodbye frame says it in words and comes first; the code speaks for it where the frame did not get through.
  if (reason !== undefined) return { code: 'goodbye', reason, detail: text || reason };
  return { code: 'lost', detail: `The connection ended without a goodbye (code ${code}).` };
}
