import type { Clock } from '@ai-fabric/shared';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LiveHost } from '../live/live-view.js';
import { currentStretch } from './decide/hours.js';
import type { WakeCandidate } from './decide/plan-wake.js';
import type { FleetLive } from './fleet-parts.js';
import type { Flight } from './flight.js';
import type { PowerBoard, WakeStanding } from './power-board.js';
import type { PowerMemory } from './power-memory.js';
import type { PowerMeter } from './power-meter.js';
import { zoneOffset } from './zone-offset.js';

export interface CandidateParts {
  readonly live: FleetLive;
  readonly declared: DeclaredSource;
  readonly board: PowerBoard;
  readonly memory: PowerMemory;
  readonly meter: Pick<PowerMeter, 'servingWatts'>;
  readonly clock: Clock;
  readonly flightOf: (host: string) => Flight | null;
}

/** A host that may be woken, with all that its wake needs. */
export interface FoundCandidate {
  readonly host: LiveHost;
  readonly standing: WakeStanding;
  readonly candidate: WakeCandidate;
}

interface Cooldown {
  /** Monotonic. */
  readonly untilMs: number;
  readonly why: string;
}

/** The hosts that would serve something, as they stand now, and what their last failures forbid for a while. */
export class WakeCandidates {
  readonly #parts: CandidateParts;
  readonly #cooldowns = new Map<string, Cooldown>();

  constructor(parts: CandidateParts) {
    this.#parts = parts;
  }

  /** In the order of the deployments, each host once. */
  of(deployments: readonly string[]): readonly FoundCandidate[] {
    const { declared, live } = this.#parts;
    const byHost = new Map<string, FoundCandidate>();
    for (const deployment of deployments) {
      const name = declared.current().deployments.get(deployment)?.host;
      const host = name === undefined ? undefined : live.host(name);
      if (host === undefined || byHost.has(host.name)) continue;
      byHost.set(host.name, this.#candidate(host, deployment));
    }
    return [...byHost.values()];
  }

  failed(host: string, why: string): void {
    const untilMs = this.#parts.clock.monotonicMs() + this.#cooldownMs(host);
    this.#cooldowns.set(host, { untilMs, why });
  }

  succeeded(host: string): void {
    this.#cooldowns.delete(host);
  }

  /** Of a failure of this process; else of one that the process before it left in the registry. */
  #cooldownOf({ name, hostId }: LiveHost): WakeCandidate['cooldown'] {
    const { clock, memory } = this.#parts;
    const nowMs = clock.nowMs();
    const own = this.#cooldowns.get(name);
    if (own !== undefined) {
      const leftMs = own.untilMs - clock.monotonicMs();
      return leftMs > 0 ? { untilMs: nowMs + leftMs, why: own.why } : null;
    }
    const earlier = memory.of(hostId).lastFailure;
    if (earlier === null) return null;
    // A clock that was set back makes it no longer than it is declared.
    const untilMs = Math.min(earlier.atMs, nowMs) + this.#cooldownMs(name);
    return untilMs > nowMs ? { untilMs, why: earlier.why } : null;
  }

  #cooldownMs(host: string): number {
    return (this.#parts.declared.current().hosts.get(host)?.wake.cooldownMinutes ?? 0) * 60_000;
  }

  #candidate(host: LiveHost, deployment: string): FoundCandidate {
    const { board, clock, declared, meter, flightOf } = this.#parts;
    const { name } = host;
    const standing = board.freshStandingOf(host);
    const said = declared.current().hosts.get(name);
    const nowMs = clock.nowMs();
    const quiet =
      said && said.wake.quietHours.length > 0
        ? currentStretch(said.wake.quietHours, nowMs, zoneOffset(said.timeZone))
        : null;
    const cooldown = this.#cooldownOf(host);
    const candidate: WakeCandidate = {
      ...{ host: name, deployment },
      isAwake: isAwake(host, standing),
      isWaking: flightOf(name) !== null,
      wakeability: standing.wakeability,
      mayBeTried: standing.mayBeTried,
      readySeconds: Math.round(board.leftMsOf(host, deployment) / 1000),
      baseWatts: said?.energy.baseWatts ?? null,
      cardWatts: meter.servingWatts(name),
      quietUntilMs: quiet?.toMs ?? null,
      cooldown,
    };
    return { host, standing, candidate };
  }
}

/** It is there, with its cards, and stays. */
export function isAwake({ presence, power }: LiveHost, { fromState }: WakeStanding): boolean {
  const isThere = presence === 'online' || presence === 'late';
  return isThere && fromState !== 'parked' && power.goingToSleep === null;
}
