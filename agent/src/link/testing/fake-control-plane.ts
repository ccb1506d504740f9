import { createPublicKey, randomBytes, verify, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import {
  type AgentFrame,
  type Command,
  decodeAgentFrame,
  type FrameBody,
  type GoodbyeReason,
  keyProofText,
  LINK_PATH,
  normaliseCertificateSha256,
  type ServerFrame,
} from '@ai-fabric/shared';
import { generate } from 'selfsigned';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PinnedAddress } from '../dial-pinned-tls.js';

export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
  readonly sha256: string;
}

export async function makeCertificate(): Promise<TestCertificate> {
  const made = await generate([{ name: 'commonName', value: 'motoko' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  const { fingerprint256 } = new X509Certificate(made.cert);
  return { key: made.private, cert: made.cert, sha256: normaliseCertificateSha256(fingerprint256) };
}

export interface FakeControlPlaneOptions {
  readonly certificate: TestCertificate;
  readonly tls?: TlsOptions;
  readonly port?: number;
  /** Called for each link once it is open; by default it speaks the protocol as it should. */
  readonly onOpen?: (link: FakeLink) => void;
  /** HTTP status in place of an upgrade. */
  readonly refuseWith?: number;
  readonly acks?: boolean;
  /** What it says that it speaks; by default the oldest. */
  readonly protocolVersion?: number;
  readonly hostName?: string;
  /** How far its clock is ahead of ours. */
  readonly clockAheadMs?: number;
}

/** Enough of a control plane to test a link against: real TLS, real frames, real proofs, and made to misbehave. */
export class FakeControlPlane {
  readonly options: FakeControlPlaneOptions;
  readonly links: FakeLink[] = [];
  /** What arrived inside TLS. */
  applicationBytes = 0;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: FakeControlPlaneOptions) {
    this.options = options;
    const http = createHttpServer((_request, response) => response.writeHead(404).end());
    const wss = new WebSocketServer({ noServer: true, autoPong: false });
    http.on('upgrade', (request, socket, head) => {
      if (options.refuseWith !== undefined || request.url !== LINK_PATH) {
        socket.end(
          `HTTP/1.1 ${options.refuseWith ?? 404} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
        );
        return;
      }
      wss.handleUpgrade(request, socket, head, (ws) => {
        const link = new FakeLink(ws, socket as Socket, this);
        this.links.push(link);
        (options.onOpen ?? ((opened: FakeLink) => opened.challenge()))(link);
      });
    });
    const { key, cert } = options.certificate;
    this.#server = createServer({ key, cert, minVersion: 'TLSv1.3', ...options.tls }, (socket) => {
      const push = socket.push.bind(socket);
      socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
        this.applicationBytes += chunk?.length ?? 0;
        return push(chunk, encoding);
      };
      http.emit('connection', socket);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: FakeControlPlaneOptions): Promise<FakeControlPlane> {
    const plane = new FakeControlPlane(options);
    plane.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(plane.#server, 'listening');
    return plane;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get address(): PinnedAddress {
    const { sha256 } = this.options.certificate;
    return { url: this.url, host: '127.0.0.1', port: this.port, certificateSha256: sha256 };
  }

  /** The newest link. */
  get link(): FakeLink {
    const link = this.links.at(-1);
    if (!link) throw new Error('no agent has linked');
    return link;
  }

  /** All reports of all links, in the order of their arrival. */
  get reports(): FrameBody<AgentFrame, 'report'>[] {
    return this.links.flatMap((link) => link.bodies('report'));
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** One agent's connection, seen from the other side. */
export class FakeLink {
  readonly frames: AgentFrame[] = [];
  readonly badFrames: string[] = [];
  readonly nonce = randomBytes(24).toString('base64');
  closedWith: number | null = null;
  pings = 0;
  acks: boolean;
  pongs = true;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #plane: FakeControlPlane;
  #sent = 0;

  constructor(ws: WebSocket, socket: Socket, plane: FakeControlPlane) {
    this.#ws = ws;
    this.#socket = socket;
    this.#plane = plane;
    this.acks = plane.options.acks ?? true;
    ws.on('error', () => undefined);
    ws.on('close', (code) => {
      this.closedWith = code;
    });
    ws.on('ping', () => {
      this.pings += 1;
      if (this.pongs) ws.pong();
    });
    ws.on('message', (data) => this.#onMessage(String(data)));
  }

  bodies<Type extends AgentFrame['type']>(type: Type): FrameBody<AgentFrame, Type>[] {
    return this.frames.flatMap((frame) =>
      frame.type === type ? [frame.body as FrameBody<AgentFrame, Type>] : [],
    );
  }

  challenge(): void {
    const { protocolVersion = 1 } = this.#plane.options;
    this.send('challenge', { nonce: this.nonce, protocolVersion });
  }

  welcome(): void {
    const { hostName = 'armitage', clockAheadMs = 0, protocolVersion = 1 } = this.#plane.options;
    this.send('welcome', {
      hostId: 'host-1',
      hostName,
      protocolVersion,
      serverTimeMs: Date.now() + clockAheadMs,
    });
  }

  command(commandId: string, command: Command, ttlMs = 10_000): void {
    this.send('command', { commandId, ttlMs, command });
  }

  goodbye(reason: GoodbyeReason, detail = 'said by the test'): void {
    this.send('goodbye', { reason, detail });
  }

  send<Type extends ServerFrame['type']>(type: Type, body: FrameBody<ServerFrame, Type>): void {
    this.#sent += 1;
    this.sendRaw(JSON.stringify({ id: `s${this.#sent}`, type, sentAtMs: Date.now(), body }));
  }

  sendRaw(data: string | Buffer): void {
    this.#ws.send(data, { binary: typeof data !== 'string' });
  }

  /** Bytes that are no WebSocket frame. */
  sendGarbage(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The machine behind it stands still: it neither reads nor answers, and its kernel keeps the connection. */
  freeze(): void {
    this.pongs = false;
    this.#socket.pause();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  close(code: number): void {
    this.#ws.close(code);
  }

  /** Whether the hello's proof holds for this connection's nonce and certificate. */
  proofHolds(): boolean {
    const [hello] = this.bodies('hello');
    if (!hello) return false;
    const { publicKey, instanceId, proof } = hello;
    const certificateSha256 = this.#plane.options.certificate.sha256;
    const text = keyProofText({ nonce: this.nonce, certificateSha256, publicKey, instanceId });
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), key, Buffer.from(proof, 'base64'));
  }

  #onMessage(text: string): void {
    const decoded = decodeAgentFrame(text);
    if (!decoded.ok) {
      this.badFrames.push(decoded.refusal.detail);
      return;
    }
    this.frames.push(decoded.frame);
    if (decoded.frame.type === 'hello') this.welcome();
    if (decoded.frame.type === 'report' && this.acks) this.send('ack', { seq: decoded.frame.body.seq });
  }
}
