import {
  type AgentFrame,
  decodeServerFrame,
  encodeFrame,
  type FrameBody,
  LINK_PATH,
  type ServerFrame,
} from '@ai-fabric/shared';
import { WebSocket } from 'ws';
import { until } from '../../live/testing/until.js';
import type { Hello } from '../decide/link-lifecycle.js';
import { type AgentKey, signedHello } from './agent-keys.js';

/** An agent's side of the link without an agent: says what a test tells it to, and answers pings unless it is deaf. */
export class RawAgent {
  readonly ws: WebSocket;
  readonly frames: ServerFrame[] = [];
  closeCode: number | null = null;
  #sent = 0;

  constructor(port: number) {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}${LINK_PATH}`, { perMessageDeflate: false });
    this.ws.on('message', (data) => {
      const decoded = decodeServerFrame(String(data));
      if (decoded.ok) this.frames.push(decoded.frame);
    });
    this.ws.on('close', (code) => {
      this.closeCode = code;
    });
    // A connection that is cut shows in its close code.
    this.ws.on('error', () => undefined);
  }

  of<Type extends ServerFrame['type']>(type: Type): FrameBody<ServerFrame, Type>[] {
    const found = this.frames.filter((frame) => frame.type === type);
    return found.map(({ body }) => body as FrameBody<ServerFrame, Type>);
  }

  async nonce(): Promise<string> {
    await until('a challenge', () => this.of('challenge').length > 0);
    return this.of('challenge')[0]?.nonce ?? '';
  }

  async hello(key: AgentKey, certificateSha256: string, more: Partial<Hello> = {}): Promise<void> {
    this.says('hello', signedHello(key, await this.nonce(), certificateSha256, more));
  }

  /** Says hello and waits for the welcome. */
  async link(key: AgentKey, certificateSha256: string, more: Partial<Hello> = {}): Promise<this> {
    await this.hello(key, certificateSha256, more);
    await until('a welcome', () => this.of('welcome').length > 0);
    return this;
  }

  says<Type extends AgentFrame['type']>(
    type: Type,
    body: FrameBody<AgentFrame, Type>,
    sentAtMs = Date.now(),
  ): void {
    this.#sent += 1;
    this.ws.send(encodeFrame({ id: `a${this.#sent}`, type, sentAtMs, body } as AgentFrame));
  }

  /** Stops reading: what is sent to it stays in the network, pings are not answered. */
  becomeDeaf(): void {
    this.ws.pause();
  }

  async closed(): Promise<number> {
    await until('the end of the connection', () => this.closeCode !== null);
    return this.closeCode ?? 0;
  }

  get goodbyeReason(): string | undefined {
    return this.of('goodbye')[0]?.reason;
  }
}
