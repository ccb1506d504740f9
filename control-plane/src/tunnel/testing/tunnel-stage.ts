import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Clock, normaliseCertificateSha256, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { newAgentKey } from '../../link/testing/agent-keys.js';
import { FakeDeclaredSource } from '../../link/testing/fake-declared-source.js';
import { FakeHostStore } from '../../link/testing/fake-host-store.js';
import { LiveState } from '../../live/live-state.js';
import { declaredOf } from '../../live/testing/live-fixtures.js';
import { until } from '../../live/testing/until.js';
import { TunnelBook } from '../tunnel-book.js';
import { TunnelServer } from '../tunnel-server.js';
import { RawAgentTunnel } from './raw-agent-tunnel.js';

const log = pino({ level: 'silent' });

/** The control plane's side of tunnels on a real TLS listener; `motoko` is enrolled, and linked as `instance-1`. */
export class TunnelStage {
  readonly key = newAgentKey();
  readonly store = new FakeHostStore();
  readonly declared = new FakeDeclaredSource(
    declaredOf({ motoko: ['chat', 'embed'], armitage: ['elsewhere'] }),
  );
  readonly live: LiveState;
  readonly book: TunnelBook;
  readonly server: TunnelServer;
  readonly certificateSha256: string;
  linkedInstanceId: string | null = 'instance-1';
  readonly #https: Server;
  readonly #agents: RawAgentTunnel[] = [];

  private constructor(certificate: { cert: string; private: string }, clock: Clock) {
    this.store.addHost({ publicKey: this.key.publicKey });
    this.certificateSha256 = normaliseCertificateSha256(new X509Certificate(certificate.cert).fingerprint256);
    this.live = new LiveState({ clock, log });
    this.live.seed(this.store.hosts, this.declared.current());
    this.book = new TunnelBook({ declared: this.declared, live: this.live, clock, log });
    this.server = new TunnelServer({
      hosts: this.store,
      linkedInstanceId: () => this.linkedInstanceId,
      book: this.book,
      certificateSha256: this.certificateSha256,
      clock,
      randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
      log,
    });
    this.#https = createServer({ key: certificate.private, cert: certificate.cert });
    this.#https.on('upgrade', (request, socket, head) => this.server.handleUpgrade(request, socket, head));
  }

  static async start(clock: Clock = systemClock()): Promise<TunnelStage> {
    const stage = new TunnelStage(
      await generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' }),
      clock,
    );
    stage.#https.listen(0, '127.0.0.1');
    await once(stage.#https, 'listening');
    return stage;
  }

  get port(): number {
    return (this.#https.address() as AddressInfo).port;
  }

  async dial(): Promise<RawAgentTunnel> {
    const agent = await RawAgentTunnel.dial(this.port);
    this.#agents.push(agent);
    return agent;
  }

  /** A tunnel that stands, with `handle` behind it. */
  async open(
    handle: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void,
  ): Promise<RawAgentTunnel> {
    const agent = await this.dial();
    await agent.upgrade();
    const before = this.book.tunnel('motoko');
    const answer = await agent.say(agent.hello(this.key, this.certificateSha256));
    if (answer.type !== 'welcome') throw new Error(`refused: ${answer.detail}`);
    await new Promise((resolve) => setImmediate(resolve));
    agent.serve(handle);
    await until(
      'the tunnel is open',
      () => this.book.tunnel('motoko') !== undefined && this.book.tunnel('motoko') !== before,
    );
    return agent;
  }

  async close(): Promise<void> {
    this.server.close();
    await this.book.close();
    for (const { socket } of this.#agents) socket.destroy();
    this.#https.closeAllConnections();
    await new Promise((resolve) => this.#https.close(resolve));
  }
}
