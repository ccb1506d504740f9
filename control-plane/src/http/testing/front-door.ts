import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { createDispatch } from '../dispatch.js';
import { type Listeners, type ListenersOptions, openListeners } from '../listeners.js';

export type AnswerGateway = (request: IncomingMessage, response: ServerResponse) => void;

/** The listeners and the dispatch of the real program, before a gateway of the test's. */
export class FrontDoor {
  readonly listeners: Listeners;

  private constructor(listeners: Listeners) {
    this.listeners = listeners;
  }

  static async open(gateway: AnswerGateway, options: Partial<ListenersOptions> = {}): Promise<FrontDoor> {
    const log = pino({ level: 'silent' });
    const handlers = createDispatch(
      {
        gateway,
        api: () => new Response('{"api":true}', { headers: { 'content-type': 'application/json' } }),
        metricsText: async () => ({ contentType: 'text/plain', text: 'up 1\n' }),
        notReady: () => [],
        install: (_request, response) => void response.end('install'),
        link: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
        tunnel: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
        feed: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
        verifyAdminToken: () => false,
        isOwnHost: () => true,
        pageOrigin: () => 'none',
        takeFeedTicket: () => false,
      },
      log,
    );
    const listeners = await openListeners({
      ...{ hosts: ['127.0.0.1'], port: 0, tlsPort: 0, certificate: await certificate(), handlers },
      ...{ clock: systemClock(), random: () => 0.5, log, maxConnections: 4096 },
      ...options,
    });
    return new FrontDoor(listeners);
  }

  get port(): number {
    return Number(new URL(this.listeners.plainUrls[0] ?? '').port);
  }

  get tlsPort(): number {
    return Number(new URL(this.listeners.tlsUrls[0] ?? '').port);
  }

  close(): Promise<void> {
    return this.listeners.close();
  }
}

let made: Promise<ListenersOptions['certificate']> | null = null;

function certificate(): Promise<ListenersOptions['certificate']> {
  made ??= generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' }).then((pair) => ({
    certificatePem: pair.cert,
    privateKeyPem: pair.private,
  }));
  return made;
}

/** A client that sends bytes as they are, and reads them so. */
export class RawClient {
  text = '';
  isEnded = false;
  readonly socket: Socket;

  constructor(port: number, bytes: string | Buffer = '') {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.socket.on('end', () => {
      this.isEnded = true;
    });
    this.socket.on('close', () => {
      this.isEnded = true;
    });
    if (bytes.length > 0) this.send(bytes);
  }

  send(bytes: string | Buffer): boolean {
    return typeof bytes === 'string' ? this.socket.write(bytes, 'latin1') : this.socket.write(bytes);
  }

  /** Of the answers so far, in their order. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1]));
  }

  /** The JSON behind the last head. */
  get json(): unknown {
    return JSON.parse(this.text.slice(this.text.lastIndexOf('\r\n\r\n')));
  }

  close(): void {
    this.socket.destroy();
  }
}
