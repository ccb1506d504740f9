import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, fullJitterDelayMs, type Random, type Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { createRequestIds } from '../gateway/admission/request-ids.js';
import { answerParserError } from './answer-parser-error.js';
import { ConnectionGate } from './connection-gate.js';
import type { Listener } from './decide/classify-path.js';
import { askedProtocol, ignoreUpgrade } from './ignore-upgrade.js';
import { portHolder } from './port-holder.js';
import { refuseExpectation, refuseMisaddressed } from './refuse-head.js';
import { refuseUpgrade } from './refuse-upgrade.js';

export interface ListenerHandlers {
  /** Whether it may have one of the places that are kept for agents and for operators on this machine. */
  isPrivileged(request: IncomingMessage): boolean;
  request(listener: Listener): RequestListener;
  upgrade(listener: Listener): (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface ListenersOptions {
  /** Addresses to listen on, each with both ports. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly tlsPort: number;
  readonly certificate: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly handlers: ListenerHandlers;
  /** Of each address and port. */
  readonly maxConnections: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface Listeners {
  /** Base URLs that answer now, as `http://127.0.0.1:8000`. */
  readonly plainUrls: readonly string[];
  readonly tlsUrls: readonly string[];
  /** Of those that speak in clear, and of those that speak TLS. */
  connections(): readonly ConnectionGauge[];
  /** Called after each address that was waited for has come up. */
  onLaterAddress(told: () => void): void;
  /** Ends accepting at once; open connections end with their requests. */
  stopAccepting(): void;
  /** Resolves when every connection has ended; those left are destroyed first. */
  close(): Promise<void>;
}

export interface ConnectionGauge {
  readonly listener: 'http' | 'https';
  readonly open: number;
  /** Connections that found no place, since start. */
  readonly refused: number;
}

export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: 'address_in_use' | 'address_refused';
  constructor(code: ListenError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Absent addresses (a tailnet's before its daemon is up) are tried again at this pace. */
const ABSENT_ADDRESS_BACKOFF = { baseMs: 1_000, capMs: 15_000 };
const LISTENER_NAMES = ['http', 'https'] as const;
const HANDSHAKE_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/**
 * Opens every address. One that is not there yet is waited for in the background as long as another is open;
 * when none is, the first that comes up ends the wait.
 *
 * @throws ListenError when a port is taken or may not be used
 */
export async function openListeners(options: ListenersOptions): Promise<Listeners> {
  const opened: Opened[] = [];
  const waits = new Set<Timer>();
  let tellLater: () => void = () => {};
  let closing = false;

  const open = async (wanted: Wanted): Promise<boolean> => {
    const { server, gate } = makeServer(wanted, options);
    const outcome = await listen(server, wanted);
    if (outcome === 'absent') return false;
    if (closing) server.close();
    else opened.push({ url: urlOf(wanted, server), wanted, server, gate });
    return true;
  };

  const waitFor = (wanted: Wanted, attempt: number): void => {
    if (closing) return;
    const delayMs = 250 + fullJitterDelayMs(attempt, ABSENT_ADDRESS_BACKOFF, options.random);
    const timer = options.clock.after(delayMs, () => {
      waits.delete(timer);
      open(wanted).then(
        (done) => {
          if (closing) return;
          if (!done) return waitFor(wanted, attempt + 1);
          options.log.info({ address: wanted.host, port: wanted.port }, 'address is there; listening');
          tellLater();
        },
        (error: unknown) =>
          options.log.error({ error: String(error) }, 'cannot listen on an address that came up'),
      );
    });
    waits.add(timer);
  };

  try {
    for (const wanted of wantedListeners(options)) {
      if (await open(wanted)) continue;
      options.log.warn(
        { address: wanted.host, port: wanted.port },
        'address is not on this machine yet; waiting for it',
      );
      waitFor(wanted, 0);
    }
  } catch (error) {
    closing = true;
    await closeAll(opened, waits);
    throw error;
  }

  return {
    get plainUrls() {
      return opened.filter(({ wanted }) => !wanted.encrypted).map(({ url }) => url);
    },
    get tlsUrls() {
      return opened.filter(({ wanted }) => wanted.encrypted).map(({ url }) => url);
    },
    connections() {
      return LISTENER_NAMES.map((listener) => {
        const gates = opened.filter(({ url }) => url.startsWith(`${listener}:`)).map(({ gate }) => gate);
        const sum = (of: (gate: ConnectionGate) => number) => gates.reduce((all, gate) => all + of(gate), 0);
        return { listener, open: sum((gate) => gate.open), refused: sum((gate) => gate.refused) };
      });
    },
    onLaterAddress(told) {
      tellLater = told;
    },
    stopAccepting() {
      closing = true;
      for (const { server, gate } of opened) {
        gate.stop();
        server.close();
      }
    },
    close() {
      closing = true;
      return closeAll(opened, waits);
    },
  };
}

interface Wanted extends Listener {
  readonly host: string;
  readonly port: number;
}

interface Opened {
  readonly url: string;
  readonly wanted: Wanted;
  readonly server: Server;
  readonly gate: ConnectionGate;
}

function wantedListeners(options: ListenersOptions): Wanted[] {
  return options.hosts.flatMap((host) => [
    { host, port: options.port, encrypted: false },
    { host, port: options.tlsPort, encrypted: true },
  ]);
}

function makeServer(wanted: Wanted, options: ListenersOptions): Pick<Opened, 'server' | 'gate'> {
  const nextRequestId = createRequestIds(options.random);
  const settings = {
    // Node's own five minutes would end long answers; the gateway has its deadlines for bodies and answers.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
    // Node's own answer to a request without "Host" is an empty 400.
    requireHostHeader: false,
  };
  const server = wanted.encrypted
    ? createTlsServer({
        ...settings,
        cert: options.certificate.certificatePem,
        key: options.certificate.privateKeyPem,
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      })
    : createPlainServer(settings);
  const gate = new ConnectionGate(server, {
    ...{ maxConnections: options.maxConnections, encrypted: wanted.encrypted, nextRequestId },
    ...{ isPrivileged: options.handlers.isPrivileged, clock: options.clock, log: options.log },
  });
  const onRequest = gate.watch(refuseMisaddressed(options.handlers.request(wanted), nextRequestId));
  server.on('request', onRequest);
  // Node's own 100 would invite bodies that are refused by their headers, and its 417 has no body.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', refuseExpectation(nextRequestId));
  const onUpgrade = options.handlers.upgrade(wanted);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (askedProtocol(request) !== null) {
      if (gate.upgrade(request, socket)) onUpgrade(request, socket, head);
      else refuseUpgrade(socket, 503, `all ${options.maxConnections} connections are in use`);
    } else ignoreUpgrade(server, wanted.encrypted ? 'secureConnection' : 'connection', request, socket, head);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // The id that the client asked for was never read: one of ours.
    const requestId = nextRequestId(undefined);
    options.log.debug({ requestId, code: error.code }, 'a request could not be read');
    answerParserError(error, socket, requestId, gate.mayBeTold(socket));
  });
  server.on('tlsClientError', (error: Error) => {
    options.log.debug({ error: error.message }, 'a TLS handshake failed');
  });
  return { server, gate };
}

function listen(server: Server, wanted: Wanted): Promise<'open' | 'absent'> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      // EAFNOSUPPORT: a machine without IPv6, which may yet be switched on.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve('absent');
      else listenError(error, wanted).then(reject, reject);
    });
    // 0.0.0.0 and :: stand beside each other; a dual-stack :: would find its port taken.
    const ipv6Only = wanted.host.includes(':');
    server.listen({ host: wanted.host, port: wanted.port, ipv6Only }, () => resolve('open'));
  });
}

async function listenError(error: NodeJS.ErrnoException, wanted: Wanted): Promise<ListenError> {
  const flag = wanted.encrypted ? '--tls-port' : '--port';
  const place = `${wanted.host}:${wanted.port}`;
  if (error.code === 'EADDRINUSE') {
    return new ListenError(
      'address_in_use',
      `${place} is taken by ${await portHolder(wanted)}; end it or choose another with ${flag}`,
    );
  }
  return new ListenError(
    'address_refused',
    `cannot listen on ${place}: ${error.message}; check --host and ${flag}`,
  );
}

function urlOf(wanted: Wanted, server: Server): string {
  const { port } = server.address() as AddressInfo;
  const host = wanted.host.includes(':') ? `[${wanted.host}]` : wanted.host;
  return `${wanted.encrypted ? 'https' : 'http'}://${host}:${port}`;
}

async function closeAll(opened: readonly Opened[], waits: ReadonlySet<Timer>): Promise<void> {
  for (const timer of waits) timer.cancel();
  await Promise.all(
    opened.map(
      ({ server, gate }) =>
        new Promise<void>((resolve) => {
          gate.close();
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  );
}
