import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import {
  MAX_TUNNEL_LINE_BYTES,
  TUNNEL_CHALLENGE_HEADER,
  TUNNEL_PROTOCOL,
  type TunnelHello,
  tunnelHelloSchema,
  tunnelProofText,
} from '@ai-fabric/shared';
import type { PinnedAddress } from '../../link/dial-pinned-tls.js';
import type { TestCertificate } from '../../link/testing/fake-control-plane.js';
import { readLine } from '../read-line.js';

export interface FakeTunnelPlaneOptions {
  readonly certificate: TestCertificate;
  /** What it answers a hello with; by default a welcome. */
  readonly answer?: string;
  /** HTTP status in place of an upgrade. */
  readonly refuseWith?: number;
  /** Sends its challenge and its welcome as one write: the agent has the welcome when it has written its hello. */
  readonly hasty?: boolean;
  /** Speaks on its first tunnel itself, instead of HTTP/2. */
  readonly onFirstTunnel?: (socket: TLSSocket) => void;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Enough of a control plane to test a tunnel against: real TLS, real proofs, real HTTP/2. */
export class FakeTunnelPlane {
  readonly hellos: TunnelHello[] = [];
  readonly sessions: ClientHttp2Session[] = [];
  readonly sockets: TLSSocket[] = [];
  readonly #options: FakeTunnelPlaneOptions;
  readonly #server: Server;

  private constructor(options: FakeTunnelPlaneOptions) {
    this.#options = options;
    const { key, cert } = options.certificate;
    const http = createHttpServer((_, response) => response.writeHead(404).end());
    http.on('upgrade', (_, socket) => void this.#upgrade(socket as TLSSocket).catch(() => socket.destroy()));
    this.#server = createServer({ key, cert, minVersion: 'TLSv1.3' }, (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      http.emit('connection', socket);
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: FakeTunnelPlaneOptions): Promise<FakeTunnelPlane> {
    const plane = new FakeTunnelPlane(options);
    plane.#server.listen(0, '127.0.0.1');
    await once(plane.#server, 'listening');
    return plane;
  }

  get address(): PinnedAddress {
    const { port } = this.#server.address() as AddressInfo;
    const { sha256 } = this.#options.certificate;
    return { url: `https://127.0.0.1:${port}`, host: '127.0.0.1', port, certificateSha256: sha256 };
  }

  /** The newest. */
  get session(): ClientHttp2Session {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('no tunnel was opened');
    return session;
  }

  /** Asks, and reads the whole answer. */
  async ask(head: OutgoingHttpHeaders, body?: string | Buffer): Promise<Answered> {
    const stream = this.session.request({ ':scheme': 'http', ...head }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }];
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return { status: headers[':status'], headers, text };
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #upgrade(socket: TLSSocket): Promise<void> {
    const { refuseWith, answer, hasty = false, onFirstTunnel } = this.#options;
    if (refuseWith !== undefined) {
      socket.end(`HTTP/1.1 ${refuseWith} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    const nonce = randomBytes(32).toString('base64');
    const switching = `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${TUNNEL_PROTOCOL}\r\n${TUNNEL_CHALLENGE_HEADER}: ${nonce}\r\n\r\n`;
    const welcome = `${answer ?? JSON.stringify({ type: 'welcome', hostName: 'motoko' })}\n`;
    socket.write(hasty ? `${switching}${welcome}` : switching);
    const hello = tunnelHelloSchema.parse(JSON.parse(await readLine(socket, MAX_TUNNEL_LINE_BYTES)));
    this.#verify(hello, nonce);
    this.hellos.push(hello);
    if (!hasty) await new Promise((resolve) => socket.write(welcome, resolve));
    if (answer !== undefined) return;
    await new Promise((resolve) => setImmediate(resolve));
    if (onFirstTunnel !== undefined && this.hellos.length === 1) {
      socket.resume();
      onFirstTunnel(socket);
      return;
    }
    const session = connect('http://agent.fabric', { createConnection: () => socket });
    session.on('error', () => undefined);
    this.sessions.push(session);
  }

  #verify({ publicKey, instanceId, proof }: TunnelHello, nonce: string): void {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    const certificateSha256 = this.#options.certificate.sha256;
    const text = tunnelProofText({ nonce, certificateSha256, publicKey, instanceId });
    if (!verify(null, Buffer.from(text), key, Buffer.from(proof, 'base64'))) throw new Error('a wrong proof');
  }
}
