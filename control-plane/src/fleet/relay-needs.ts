import type { LiveHost } from '../live/live-view.js';
import type { FleetLive } from './fleet-parts.js';
import type { WakeStanding } from './power-board.js';

/** Who sleeps where only neighbours can send a packet, and which neighbours could. Kept as hosts come and go. */
export class RelayNeeds {
  readonly #live: Pick<FleetLive, 'host'>;
  /** By sleeping host. */
  readonly #relays = new Map<string, readonly string[]>();
  /** By relay. */
  readonly #sleepers = new Map<string, Set<string>>();

  constructor(live: Pick<FleetLive, 'host'>) {
    this.#live = live;
  }

  note(host: LiveHost, standing: WakeStanding): void {
    const relays = needsRelay(host, standing) ? standing.paths.relays.map((relay) => relay.host) : [];
    const before = this.#relays.get(host.name) ?? [];
    if (relays.length === 0 && before.length === 0) return;
    this.forget(host.name);
    if (relays.length === 0) return;
    this.#relays.set(host.name, relays);
    for (const relay of relays) {
      const sleepers = this.#sleepers.get(relay);
      if (sleepers === undefined) this.#sleepers.set(relay, new Set([host.name]));
      else sleepers.add(host.name);
    }
  }

  forget(host: string): void {
    for (const relay of this.#relays.get(host) ?? []) {
      const sleepers = this.#sleepers.get(relay);
      sleepers?.delete(host);
      if (sleepers?.size === 0) this.#sleepers.delete(relay);
    }
    this.#relays.delete(host);
  }

  /** Sleeping hosts that nobody but this one could wake; one that is itself about to sleep does not count. */
  lastRelayOf(host: string): readonly string[] {
    const sleepers = [...(this.#sleepers.get(host) ?? [])];
    return sleepers.filter((sleeper) =>
      (this.#relays.get(sleeper) ?? []).every((relay) => relay === host || !this.#staysAwake(relay)),
    );
  }

  #staysAwake(relay: string): boolean {
    const { presence, power } = this.#live.host(relay) ?? {};
    return presence === 'online' && power?.goingToSleep === null;
  }
}

function needsRelay(
  { presence }: LiveHost,
  { wakeability, mayBeTried, paths, waker }: WakeStanding,
): boolean {
  return (
    presence === 'away' &&
    mayBeTried &&
    wakeability.kind !== 'no' &&
    waker.kind === 'none' &&
    paths.own.length === 0
  );
}
