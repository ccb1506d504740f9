import { type Clock, type Command, POWER_PROTOCOL_VERSION, type Timer } from '@ai-fabric/shared';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LiveHost } from '../live/live-view.js';
import { planLease } from './decide/plan-lease.js';
import { fetchingOn } from './fetching-on.js';
import type { FleetLive } from './fleet-parts.js';
import type { PowerMemory } from './power-memory.js';

export interface AwakeLeaseParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly memory: PowerMemory;
  readonly clock: Clock;
  readonly protocolVersion: (host: string) => number | null;
  /** `null`: it has no link. */
  readonly ask: (host: string, command: Command, ttlMs: number) => Promise<unknown> | null;
  /** Requests of the fabric that run now, by deployment. */
  readonly requestsInFlight: () => ReadonlyMap<string, number>;
}

const RENEW_MS = 30_000;

/** Keeps machines from going to sleep by themselves while they serve, and for a while after a wake. */
export class AwakeLeases {
  readonly #parts: AwakeLeaseParts;
  readonly #timer: Timer;
  readonly #held = new Set<string>();
  readonly #usedAtMs = new Map<string, number>();

  constructor(parts: AwakeLeaseParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(RENEW_MS, () => this.#renewAll());
  }

  close(): void {
    this.#timer.cancel();
  }

  #renewAll(): void {
    const running = this.#runningByHost();
    for (const host of this.#parts.live.hosts()) {
      if (host.presence === 'online') this.#renew(host, running.get(host.name) ?? 0);
      else this.#held.delete(host.name);
    }
  }

  #renew(host: LiveHost, requestsInFlight: number): void {
    const { live, memory, declared, clock, protocolVersion, ask } = this.#parts;
    const { name, power } = host;
    if ((protocolVersion(name) ?? 0) < POWER_PROTOCOL_VERSION) return;
    const nowMs = clock.nowMs();
    if (requestsInFlight > 0) this.#usedAtMs.set(name, nowMs);
    const facts = {
      isWaking: power.flight !== null,
      isGoing: power.goingToSleep !== null,
      isFetching: fetchingOn(name, live, declared.current().deployments) !== null,
      requestsInFlight,
      lastUsedAtMs: this.#usedAtMs.get(name) ?? null,
      wokenAtMs: memory.of(host.hostId).wokenAtMs,
      minimumUpMs: (declared.current().hosts.get(name)?.wake.minimumUpMinutes ?? 0) * 60_000,
      keepAwakeUntilMs: power.keepAwakeUntilMs,
    };
    const seconds = planLease(facts, nowMs);
    if (seconds === 0 && !this.#held.delete(name)) return;
    if (seconds > 0) this.#held.add(name);
    void ask(name, { name: 'hold_awake', seconds }, RENEW_MS);
  }

  #runningByHost(): ReadonlyMap<string, number> {
    const deployments = this.#parts.declared.current().deployments;
    const byHost = new Map<string, number>();
    for (const [deployment, count] of this.#parts.requestsInFlight()) {
      const host = deployments.get(deployment)?.host;
      if (host !== undefined) byHost.set(host, (byHost.get(host) ?? 0) + count);
    }
    return byHost;
  }
}
