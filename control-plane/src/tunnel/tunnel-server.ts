import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  MAX_TUNNEL_LINE_BYTES,
  TUNNEL_CHALLENGE_HEADER,
  TUNNEL_PROTOCOL,
  type TunnelAnswer,
  type TunnelRefusal,
  tunnelHelloSchema,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { refuseUpgrade } from '../http/refuse-upgrade.js';
import { AddressBook } from '../link/address-book.js';
import type { HostStore } from '../registry/registry-types.js';
import { identifyTunnel } from './identify-tunnel.js';
import { readHelloLine } from './read-hello-line.js';
import type { TunnelBook } from './tunnel-book.js';

export interface TunnelServerParts {
  readonly hosts: Pick<HostStore, 'findByPublicKey' | 'findRefusedKey'>;
  /** The agent process that has a host's link; `null`: none has. */
  readonly linkedInstanceId: (hostName: string) => string | null;
  readonly book: TunnelBook;
  /** Of the control plane's own certificate. */
  readonly certificateSha256: string;
  readonly clock: Clock;
  /** Unpredictable bytes: for nonces. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Logger;
}

const MAX_UNPROVEN = 256;
const HELLO_TIMEOUT_MS = 10_000;
const NONCE_BYTES = 32;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;

/** Takes the agents' tunnels: challenges, checks the proof, and hands the connection to the book. */
export class TunnelServer {
  readonly #parts: TunnelServerParts;
  readonly #addresses = new AddressBook();
  readonly #unproven = new Set<Duplex>();
  #closing = false;

  constructor(parts: TunnelServerParts) {
    this.#parts = parts;
  }

  /** Connections that have not proven who they are. */
  get unprovenCount(): number {
    return this.#unproven.size;
  }

  /** Takes an upgrade of `TUNNEL_PATH` on the TLS listener. Answers it whatever it is. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = (request.socket.remoteAddress ?? 'unknown').replace(IPV4_IN_IPV6, '');
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#closing || this.#unproven.size >= MAX_UNPROVEN || this.#addresses.isLimited(address, nowMs)) {
      refuseUpgrade(socket, 503, 'too many tunnels at once, or the control plane is closing');
      return;
    }
    socket.on('error', () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    this.#unproven.add(socket);
    socket.once('close', () => this.#unproven.delete(socket));
    void this.#prove(socket, address);
  }

  /** Takes no more, and ends those that have not proven who they are. */
  close(): void {
    this.#closing = true;
    for (const socket of this.#unproven) socket.destroy();
  }

  async #prove(socket: Duplex, address: string): Promise<void> {
    const { clock, randomBytes, log, book } = this.#parts;
    const late = clock.after(HELLO_TIMEOUT_MS, () => socket.destroy());
    const nonce = Buffer.from(randomBytes(NONCE_BYTES)).toString('base64');
    try {
      await write(socket, switchingProtocols(nonce));
      const verdict = this.#judge(await readHelloLine(socket, MAX_TUNNEL_LINE_BYTES), nonce);
      if (!verdict.ok) {
        this.#noteRefusal(address, verdict.reason, verdict.detail);
        const { reason, detail } = verdict;
        socket.end(lineOf({ type: 'refused', reason, detail }), () => socket.destroy());
        return;
      }
      await write(socket, lineOf({ type: 'welcome', hostName: verdict.hostName }));
      // The write may be over for us and not for the system: HTTP/2 aborts the process then.
      await new Promise((resolve) => setImmediate(resolve));
      if (socket.destroyed || this.#closing) socket.destroy();
      else book.add(verdict.hostName, socket);
    } catch (error) {
      log.debug({ error: String(error), address }, 'a tunnel came to nothing');
      socket.destroy();
    } finally {
      late.cancel();
      this.#unproven.delete(socket);
    }
  }

  #judge(line: string, nonce: string): ReturnType<typeof identifyTunnel> {
    const hello = tunnelHelloSchema.safeParse(parseJson(line));
    if (hello.success) return identifyTunnel(hello.data, nonce, this.#parts);
    return { ok: false, reason: 'protocol_error', detail: 'What came is no hello.' };
  }

  #noteRefusal(address: string, reason: TunnelRefusal, detail: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    // An agent whose link is not there yet, or that a busy registry turned away, did nothing wrong.
    if (reason !== 'not_linked' && reason !== 'unavailable') this.#addresses.noteFailure(address, nowMs);
    const suppressed = this.#addresses.mayLog(address, nowMs);
    if (suppressed === null) return;
    this.#parts.log.warn(
      { address, reason, ...(suppressed > 0 ? { suppressed } : {}) },
      `tunnel refused: ${detail}`,
    );
  }
}

function switchingProtocols(nonce: string): string {
  return (
    `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${TUNNEL_PROTOCOL}\r\n` +
    `${TUNNEL_CHALLENGE_HEADER}: ${nonce}\r\n\r\n`
  );
}

function lineOf(answer: TunnelAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

function write(socket: Duplex, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
