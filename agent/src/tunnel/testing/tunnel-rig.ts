import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { makeCertificate } from '../../link/testing/fake-control-plane.js';
import type { AgentEndpoints } from '../agent-endpoints.js';
import { AgentTunnel } from '../agent-tunnel.js';
import type { TunnelIdentity } from '../dial-tunnel.js';
import { TunnelInFlight } from '../in-flight.js';
import type { FindEngine } from '../tunnel-session.js';
import { FakeTunnelPlane, type FakeTunnelPlaneOptions } from './fake-tunnel-plane.js';

export type EngineHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface RigOptions extends Partial<Omit<FakeTunnelPlaneOptions, 'certificate'>> {
  readonly engine?: EngineHandler;
  readonly key?: string | null;
  readonly findEngine?: FindEngine;
  readonly endpoints?: AgentEndpoints;
  readonly clock?: Clock;
}

function tunnelIdentity(): TunnelIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
    machineSha256: 'ab'.repeat(32),
    instanceId: 'instance-1',
  };
}

/** A control plane, an agent's tunnel to it, and an engine on loopback behind it: `chat`. */
export class TunnelRig {
  readonly plane: FakeTunnelPlane;
  readonly engine: Server;
  readonly tunnel: AgentTunnel;
  readonly inFlight = new TunnelInFlight();
  readonly seen: IncomingMessage[] = [];
  readonly logLines: string[] = [];

  private constructor(plane: FakeTunnelPlane, engine: Server, options: RigOptions) {
    this.plane = plane;
    this.engine = engine;
    engine.on('request', (request: IncomingMessage) => this.seen.push(request));
    this.tunnel = new AgentTunnel({
      address: plane.address,
      identity: tunnelIdentity(),
      findEngine:
        options.findEngine ??
        ((name) =>
          name === 'chat' ? { host: '127.0.0.1', port: this.enginePort, key: options.key ?? null } : null),
      endpoints: options.endpoints ?? new Map(),
      inFlight: this.inFlight,
      clock: options.clock ?? systemClock(),
      random: () => 0,
      log: pino({ level: 'debug' }, { write: (line: string) => void this.logLines.push(line) }),
    });
  }

  /** Resolves when the tunnel stands, where it is to stand. */
  static async start(options: RigOptions = {}): Promise<TunnelRig> {
    const plane = await FakeTunnelPlane.start({ certificate: await makeCertificate(), ...options });
    const engine = createServer(options.engine ?? ((_, response) => response.end('answer')));
    engine.listen(0, '127.0.0.1');
    await once(engine, 'listening');
    const rig = new TunnelRig(plane, engine, options);
    rig.tunnel.linked();
    if (options.answer === undefined && options.refuseWith === undefined) {
      await until('the tunnel is open', () => plane.sessions.length > 0 && rig.tunnel.state === 'open');
    }
    return rig;
  }

  get enginePort(): number {
    return (this.engine.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.tunnel.close();
    await this.plane.close();
    this.engine.closeAllConnections();
    await new Promise((resolve) => this.engine.close(resolve));
  }
}

const DEADLINE_MS = 30_000;

/** Waits for a condition of the real world, not for a time. @throws when it does not come about within 30 s */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
