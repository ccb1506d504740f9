import { sign } from 'node:crypto';
import { once } from 'node:events';
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';
import {
  TUNNEL_CHALLENGE_HEADER,
  TUNNEL_PATH,
  TUNNEL_PROTOCOL,
  type TunnelAnswer,
  type TunnelHello,
  tunnelProofText,
} from '@ai-fabric/shared';
import type { AgentKey } from '../../link/testing/agent-keys.js';
import { readHelloLine } from '../read-hello-line.js';

const UPGRADE = `GET ${TUNNEL_PATH} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${TUNNEL_PROTOCOL}\r\n\r\n`;

/** An agent's end of a tunnel, step by step, so that a test can go wrong at each of them. */
export class RawAgentTunnel {
  readonly socket: TLSSocket;
  nonce = '';
  session: ServerHttp2Session | null = null;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
  }

  static async dial(port: number): Promise<RawAgentTunnel> {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    await once(socket, 'secureConnect');
    return new RawAgentTunnel(socket);
  }

  /** Asks for the tunnel and keeps the challenge. @returns the first line of the answer */
  async upgrade(): Promise<string> {
    this.socket.write(UPGRADE);
    const first = (await this.line()).trim();
    for (let line = (await this.line()).trim(); line !== ''; line = (await this.line()).trim()) {
      const [name, ...value] = line.split(': ');
      if (name?.toLowerCase() === TUNNEL_CHALLENGE_HEADER) this.nonce = value.join(': ');
    }
    return first;
  }

  /** A hello that holds for this connection, but for what `more` changes afterwards. */
  hello(key: AgentKey, certificateSha256: string, more: Partial<TunnelHello> = {}): TunnelHello {
    const { publicKey } = key;
    const instanceId = more.instanceId ?? 'instance-1';
    const text = tunnelProofText({ nonce: this.nonce, certificateSha256, publicKey, instanceId });
    const proof = sign(null, Buffer.from(text), key.privateKey).toString('base64');
    return { publicKey, proof, machineSha256: 'ab'.repeat(32), instanceId, ...more };
  }

  async say(hello: unknown): Promise<TunnelAnswer> {
    this.socket.write(`${JSON.stringify(hello)}\n`);
    return JSON.parse(await this.line()) as TunnelAnswer;
  }

  serve(handle: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void): ServerHttp2Session {
    const session = performServerHandshake(this.socket);
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      handle(stream, headers);
    });
    this.session = session;
    return session;
  }

  /** The next line that came. */
  line(): Promise<string> {
    return readHelloLine(this.socket, 16_384);
  }

  /** Whether in order or broken. */
  get closed(): Promise<void> {
    if (this.session === null) this.socket.resume();
    return new Promise((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.once('close', () => resolve());
    });
  }
}
