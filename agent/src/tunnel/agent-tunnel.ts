import type { Clock, Random, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { PinnedAddress } from '../link/dial-pinned-tls.js';
import { LogLimiter } from '../link/log-limiter.js';
import type { AgentEndpoints } from './agent-endpoints.js';
import {
  decideTunnel,
  type TunnelEffect,
  type TunnelEvent,
  type TunnelState,
} from './decide/decide-tunnel.js';
import { tunnelWaitsForOperator } from './decide/plan-tunnel-retry.js';
import { type DialTunnel, type TunnelIdentity, tunnelDialler } from './dial-tunnel.js';
import { EngineConnections } from './engine-connections.js';
import type { TunnelInFlight } from './in-flight.js';
import { TunnelError, type TunnelFailure } from './tunnel-failure.js';
import { type FindEngine, serveTunnel, type TunnelSession } from './tunnel-session.js';

export interface AgentTunnelOptions {
  readonly address: PinnedAddress;
  readonly identity: TunnelIdentity;
  readonly findEngine: FindEngine;
  readonly endpoints: AgentEndpoints;
  /** Counts what is under way, for those who wait for its end. */
  readonly inFlight: TunnelInFlight;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly dial?: DialTunnel;
}

/** The agent's tunnel: dials while there is a link, serves, dials again. Owns the state; the link sends it events. */
export class AgentTunnel {
  readonly #options: AgentTunnelOptions;
  readonly #dialTunnel: DialTunnel;
  readonly #limiter: LogLimiter;
  readonly #connections = new EngineConnections();
  #state: TunnelState = { name: 'idle' };
  #retry: Timer | null = null;
  #dialling: AbortController | null = null;
  #session: TunnelSession | null = null;

  constructor(options: AgentTunnelOptions) {
    this.#options = options;
    this.#dialTunnel = options.dial ?? tunnelDialler(options.clock);
    this.#limiter = new LogLimiter(options.clock);
  }

  get state(): TunnelState['name'] {
    return this.#state.name;
  }

  linked(): void {
    this.#dispatch({ type: 'linked' });
  }

  unlinked(): void {
    this.#dispatch({ type: 'unlinked' });
  }

  /** The machine goes to sleep, or was asleep: what is open ends. */
  slept(): void {
    this.#dispatch({ type: 'slept' });
  }

  close(): void {
    this.#dispatch({ type: 'stop' });
    this.#connections.close();
  }

  #dispatch(event: TunnelEvent): void {
    const { clock, random, log } = this.#options;
    const decision = decideTunnel(this.#state, event, { nowMs: clock.monotonicMs(), jitter: random() });
    if (!decision.ok) {
      log.debug({ refusal: decision.refusal }, 'tunnel: event refused');
      return;
    }
    this.#state = decision.state;
    for (const effect of decision.effects) this.#perform(effect);
  }

  #perform(effect: TunnelEffect): void {
    switch (effect.type) {
      case 'dial':
        void this.#dial();
        break;
      case 'arm':
        this.#retry = this.#options.clock.after(effect.delayMs, () => this.#dispatch({ type: 'retry' }));
        break;
      case 'disarm':
        this.#retry?.cancel();
        this.#retry = null;
        break;
      case 'cut':
        this.#dialling?.abort();
        this.#session?.destroy();
        break;
      case 'announce_open':
        this.#announceOpen();
        break;
      case 'announce_ended':
        this.#announceEnded(effect);
        break;
      default:
        effect satisfies never;
    }
  }

  async #dial(): Promise<void> {
    const { address, identity, findEngine, endpoints, inFlight, clock, log } = this.#options;
    const giveUp = new AbortController();
    this.#dialling = giveUp;
    try {
      const socket = await this.#dialTunnel(address, identity, giveUp.signal);
      // The write of the hello may be over for us and not for the system: HTTP/2 aborts the process then.
      await new Promise((resolve) => setImmediate(resolve));
      this.#dialling = null;
      if (this.#state.name !== 'dialling' || socket.destroyed) {
        socket.destroy();
        throw new TunnelError({ code: 'lost', detail: 'The connection ended as the tunnel opened.' });
      }
      const service = { findEngine, endpoints, inFlight, clock, log };
      this.#session = serveTunnel(socket, { ...service, connections: this.#connections }, (detail) =>
        this.#onEnded({ code: 'lost', detail }),
      );
      this.#dispatch({ type: 'opened' });
    } catch (error) {
      this.#dialling = null;
      const failure: TunnelFailure =
        error instanceof TunnelError ? error.failure : { code: 'lost', detail: String(error) };
      this.#onEnded(failure);
    }
  }

  #onEnded(failure: TunnelFailure): void {
    this.#session = null;
    this.#dispatch({ type: 'ended', failure });
  }

  #announceOpen(): void {
    const { log, address } = this.#options;
    if (this.#limiter.pass('open') !== null) log.info({ server: address.url }, 'tunnel: open');
  }

  #announceEnded({ failure, wasOpen, held }: Extract<TunnelEffect, { type: 'announce_ended' }>): void {
    const { log, address } = this.#options;
    const reason = failure.code === 'refused' ? failure.reason : failure.code;
    // What comes after a tunnel that held is news, however alike.
    if (held) this.#limiter.reset();
    const alike = this.#limiter.pass(reason);
    if (alike === null) return;
    const level = tunnelWaitsForOperator(failure) ? 'error' : 'warn';
    const fields = { server: address.url, reason, ...(alike > 0 ? { alike } : {}) };
    log[level](fields, `tunnel: ${wasOpen ? 'lost' : 'not open'}: ${failure.detail}`);
  }
}
