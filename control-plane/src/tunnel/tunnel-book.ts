import type { Duplex } from 'node:stream';
import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LiveState } from '../live/live-state.js';
import { type HostTunnel, TunnelSession } from './host-tunnel.js';

/** The open tunnels, as those who ask through them see it. */
export interface TunnelLookup {
  tunnel(hostName: string): HostTunnel | undefined;
}

export interface TunnelBookParts {
  readonly declared: DeclaredSource;
  readonly live: Pick<LiveState, 'setTunnelUp'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Numbers for `/metrics`, read at scrape time. */
export interface TunnelGauge {
  readonly host: string;
  readonly openStreams: number;
}

/** One tunnel for each host. A newer one takes the older one's place, whose streams end. */
export class TunnelBook implements TunnelLookup {
  readonly #parts: TunnelBookParts;
  readonly #tunnels = new Map<string, TunnelSession>();
  readonly #ending = new Set<TunnelSession>();
  #waiting: (() => void) | null = null;

  constructor(parts: TunnelBookParts) {
    this.#parts = parts;
  }

  get openCount(): number {
    return this.#tunnels.size;
  }

  tunnel(hostName: string): HostTunnel | undefined {
    const tunnel = this.#tunnels.get(hostName);
    return tunnel?.isOpen === true ? tunnel : undefined;
  }

  gauges(): readonly TunnelGauge[] {
    return [...this.#tunnels.values()].map(({ hostName, openStreams }) => ({
      ...{ host: hostName, openStreams },
    }));
  }

  /** @param socket proven to be of this host, without a write under way */
  add(hostName: string, socket: Duplex): void {
    const { declared, live, clock, log } = this.#parts;
    const predecessor = this.#tunnels.get(hostName);
    const tunnel = new TunnelSession(socket, {
      ...{ hostName, clock },
      isDeclaredHere: (deployment) => declared.current().deployments.get(deployment)?.host === hostName,
      onLeaving: (leaving) => this.#tellDown(leaving),
      onEnded: (ended) => this.#onEnded(ended),
    });
    this.#tunnels.set(hostName, tunnel);
    if (predecessor) this.#end(predecessor, 'a newer tunnel of this host took its place');
    live.setTunnelUp(hostName, true);
    log.info({ host: hostName }, 'tunnel open');
  }

  /** Ends the tunnel of a host whose key is refused, or that is gone. */
  endHost(hostName: string, why: string): void {
    const tunnel = this.#tunnels.get(hostName);
    if (tunnel) this.#end(tunnel, why);
  }

  /** Ends all; resolves when their connections are closed. */
  async close(): Promise<void> {
    for (const tunnel of [...this.#tunnels.values()]) this.#end(tunnel, 'the control plane stops');
    if (this.#ending.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  #end(tunnel: TunnelSession, why: string): void {
    this.#ending.add(tunnel);
    tunnel.end(why);
  }

  #tellDown(tunnel: TunnelSession): void {
    const { hostName } = tunnel;
    if (this.#tunnels.get(hostName) === tunnel) this.#parts.live.setTunnelUp(hostName, false);
  }

  #onEnded(tunnel: TunnelSession): void {
    const { hostName, endedWhy } = tunnel;
    this.#ending.delete(tunnel);
    this.#parts.log.info({ host: hostName, why: endedWhy }, 'tunnel ended');
    this.#tellDown(tunnel);
    if (this.#tunnels.get(hostName) === tunnel) this.#tunnels.delete(hostName);
    if (this.#ending.size === 0) this.#waiting?.();
  }
}
