import {
  type AgentFrame,
  decodeServerFrame,
  encodeFrame,
  type FrameBody,
  type ServerFrame,
} from '@ai-fabric/shared';
import type { LinkSocket, LinkSocketListener } from '../link-socket.js';

/** An agent's connection without a network: what the control plane sends lands here, and a test answers. */
export class FakeLinkSocket implements LinkSocket {
  readonly peerAddress: string;
  readonly frames: ServerFrame[] = [];
  readonly pings: string[] = [];
  closedWith: { code: number; reason: string } | null = null;
  /** Answers pings, as a living agent does. */
  alive = true;
  buffered = 0;
  #listener: LinkSocketListener | null = null;
  #sent = 0;

  constructor(peerAddress = '192.0.2.7') {
    this.peerAddress = peerAddress;
  }

  attach(listener: LinkSocketListener): this {
    this.#listener = listener;
    return this;
  }

  isOpen(): boolean {
    return this.closedWith === null;
  }

  send(text: string): void {
    if (!this.isOpen()) return;
    const decoded = decodeServerFrame(text);
    if (!decoded.ok) throw new Error(`not a frame of ours: ${decoded.refusal.detail}`);
    this.frames.push(decoded.frame);
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  together(send: () => void): void {
    send();
  }

  ping(payload: string): void {
    if (!this.isOpen()) return;
    this.pings.push(payload);
    if (this.alive) this.#listener?.pong(payload);
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
  }

  /** The network, or the agent, ends it. */
  end(): void {
    this.closedWith ??= { code: 1006, reason: '' };
    this.#listener?.closed();
  }

  says<Type extends AgentFrame['type']>(
    type: Type,
    body: FrameBody<AgentFrame, Type>,
    sentAtMs: number,
  ): void {
    this.#sent += 1;
    this.saysText(encodeFrame({ id: `a${this.#sent}`, type, sentAtMs, body } as AgentFrame));
  }

  saysText(text: string): void {
    this.#listener?.message(text, Buffer.byteLength(text));
  }

  saysBinary(): void {
    this.#listener?.message(null, 10);
  }

  pinged(): void {
    this.#listener?.ping();
  }

  pongs(payload: string): void {
    this.#listener?.pong(payload);
  }

  of<Type extends ServerFrame['type']>(type: Type): FrameBody<ServerFrame, Type>[] {
    const found = this.frames.filter((frame) => frame.type === type);
    return found.map(({ body }) => body as FrameBody<ServerFrame, Type>);
  }
}
