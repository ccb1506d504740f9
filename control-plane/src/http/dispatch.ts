import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { isLoopback } from '../gateway/admission/decide/address-kind.js';
import type { PageOrigin } from '../gateway/admission/decide/check-origin.js';
import { isForwarded } from '../gateway/admission/decide/is-forwarded.js';
import { admitSubscriber, type SubscriberFacts } from './decide/admit-subscriber.js';
import { classifyPath, isServed, type Listener, type Surface } from './decide/classify-path.js';
import { askedProtocol } from './ignore-upgrade.js';
import type { ListenerHandlers } from './listeners.js';
import { answerHealth, type NotReady } from './readiness.js';
import { answerRefusal, refuseUpgrade } from './refuse-upgrade.js';

export interface Rooms {
  /** Takes a request for `/v1`, admission included. */
  readonly gateway: (request: IncomingMessage, response: ServerResponse) => void;
  /** The control API, which checks the admin token itself. */
  readonly api: (request: Request) => Response | Promise<Response>;
  /** What hosts install from. */
  readonly install: (request: IncomingMessage, response: ServerResponse) => void;
  readonly metricsText: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly notReady: () => NotReady;
  readonly link: UpgradeHandler;
  readonly tunnel: UpgradeHandler;
  readonly feed: UpgradeHandler;
  readonly verifyAdminToken: (presented: string) => boolean;
  /** Whether the `Host` that a client asked for is a name or address of ours. */
  readonly isOwnHost: (request: IncomingMessage) => boolean;
  /** Holds only where the host is ours. */
  readonly pageOrigin: (request: IncomingMessage) => PageOrigin;
  readonly takeFeedTicket: (ticket: string, origin: string | null) => boolean;
}

const OWN_PAGES: ReadonlySet<PageOrigin> = new Set(['none', 'own']);
const USE_HTTPS = 'use https, on port 8443 unless an operator chose another';
const NO_WEBSOCKET = 'this path speaks WebSocket';

type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Sends each request to the room that answers it, as far as the listener it came by may serve that room. */
export function createDispatch(rooms: Rooms, log: Logger): ListenerHandlers {
  const api = getRequestListener(rooms.api, { overrideGlobalObjects: false });
  return {
    isPrivileged: (request) => {
      const surface = classifyPath(pathOf(request));
      if (surface === 'link' || surface === 'tunnel') return true;
      return surface !== 'gateway' && surface !== 'none' && isLocal(request);
    },
    request: (listener) => (request, response) => {
      const path = pathOf(request);
      const surface = classifyPath(path);
      if (surface === 'gateway') {
        rooms.gateway(request, response);
        return;
      }
      if (surface !== 'api' && bringsBody(request)) {
        // Nobody reads it, and who sends it a byte a minute would keep the connection for as long as he likes.
        response.setHeader('connection', 'close');
      }
      if (!isServed(surface, listener, isLocal(request))) {
        if (surface === 'api' || surface === 'feed') {
          const detail = 'in clear the control API answers on this machine alone';
          answerRefusal(response, 404, detail, USE_HTTPS);
        } else if (surface === 'install') {
          answerText(response, 404, `in clear programs are given to this machine alone: ${USE_HTTPS}\n`);
        } else answerText(response, 404, 'not found\n');
        return;
      }
      if (surface === 'health') answerHealth(path, response, rooms.notReady());
      else if (surface === 'install') rooms.install(request, response);
      else if (surface === 'metrics') void answerMetrics(rooms, request, response, log);
      else if (surface === 'api') {
        if (request.headers.expect !== undefined && request.httpVersionMinor > 0) response.writeContinue();
        void api(request, response);
      } else if (surface === 'feed') answerRefusal(response, 426, NO_WEBSOCKET, null);
      else if (surface === 'tunnel') answerText(response, 426, 'this path is for agents\n');
      else answerText(response, 426, `${NO_WEBSOCKET}\n`);
    },
    upgrade: (listener) => (request, socket, head) => {
      // Until a room takes the socket over, an error on it would end the process.
      socket.on('error', (error) =>
        log.debug({ error: error.message }, 'a connection failed during its upgrade'),
      );
      upgrade(rooms, listener, request, socket, head);
    },
  };
}

const PROTOCOLS: Readonly<Partial<Record<Surface, ReturnType<typeof askedProtocol>>>> = {
  link: 'websocket',
  feed: 'websocket',
  tunnel: 'tunnel',
};

function upgrade(
  rooms: Rooms,
  listener: Listener,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const surface = classifyPath(pathOf(request));
  const loopback = isLocal(request);
  const spoken = PROTOCOLS[surface];
  if (spoken !== askedProtocol(request) || !isServed(surface, listener, loopback)) {
    refuseUpgrade(socket, 404, 'nothing speaks this protocol here');
  } else if (surface === 'link') {
    rooms.link(request, socket, head);
  } else if (surface === 'tunnel') {
    rooms.tunnel(request, socket, head);
  } else {
    const verdict = admitSubscriber(subscriberFacts(rooms, request));
    if (verdict.kind === 'admitted') rooms.feed(request, socket, head);
    else refuseUpgrade(socket, verdict.status, verdict.detail, verdict.fix);
  }
}

function subscriberFacts(rooms: Rooms, request: IncomingMessage): SubscriberFacts {
  const { url = '', headers } = request;
  const query = url.indexOf('?');
  const ticket = query === -1 ? null : new URLSearchParams(url.slice(query)).get('ticket');
  const { origin } = headers;
  return {
    isOwnHost: rooms.isOwnHost(request),
    pageOrigin: rooms.pageOrigin(request),
    hasAdminToken: hasAdminToken(rooms, request),
    takeTicket: ticket === null ? null : () => rooms.takeFeedTicket(ticket, origin ?? null),
  };
}

async function answerMetrics(
  rooms: Rooms,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  // A browser makes any web page a loopback client: its origin, or the rebound name it asked for, gives it away.
  const isOwn = rooms.isOwnHost(request) && OWN_PAGES.has(rooms.pageOrigin(request));
  const trusted = isLocal(request) && isOwn;
  if (!trusted && !hasAdminToken(rooms, request)) {
    answerText(response, 401, 'the admin token is missing or wrong\n');
    return;
  }
  try {
    const { contentType, text } = await rooms.metricsText();
    response.writeHead(200, { 'content-type': contentType });
    response.end(text);
  } catch (error) {
    log.error({ error: String(error) }, 'metrics could not be read');
    answerText(response, 500, 'metrics could not be read\n');
  }
}

function hasAdminToken(rooms: Rooms, request: IncomingMessage): boolean {
  const presented = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return presented !== undefined && rooms.verifyAdminToken(presented);
}

/** From this very machine; not through a proxy on it, which speaks for whoever is behind it. */
function isLocal(request: IncomingMessage): boolean {
  return isLoopback(request.socket.remoteAddress) && !isForwarded(request.headers);
}

function bringsBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '/';
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
