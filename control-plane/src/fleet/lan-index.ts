import type { NetworkInterface } from '@ai-fabric/shared';
import type { LiveHost } from '../live/live-view.js';
import { type AwakeNeighbour, lanKeys } from './decide/find-paths.js';

/** More neighbours than anybody asks. */
const MOST_NEIGHBOURS = 8;

/** Who is awake on which LAN, and who has which MAC; made anew when hosts came or went. */
export class LanIndex {
  readonly #awake = new Map<string, AwakeNeighbour[]>();
  readonly #macs = new Map<string, string[]>();

  /** @param mayRelay whether a host's agent knows how */
  constructor(hosts: Iterable<LiveHost>, mayRelay: (host: string) => boolean) {
    for (const { name, presence, inventory, revokedAtMs } of hosts) {
      const interfaces = inventory?.interfaces ?? [];
      // What was revoked is mostly the same machine under an older name.
      if (revokedAtMs === null) for (const { mac } of interfaces) add(this.#macs, mac, name);
      if (presence !== 'online' || !mayRelay(name)) continue;
      for (const key of new Set(interfaces.flatMap(lanKeys)))
        add(this.#awake, key, { host: name, interfaces });
    }
  }

  /** Awake hosts that may be on a LAN of these interfaces, the host itself left out; bounded. */
  neighboursOf(host: string, interfaces: readonly NetworkInterface[]): readonly AwakeNeighbour[] {
    const found = new Map<string, AwakeNeighbour>();
    for (const key of interfaces.flatMap(lanKeys)) {
      for (const neighbour of this.#awake.get(key) ?? []) {
        if (found.size >= MOST_NEIGHBOURS) return [...found.values()];
        if (neighbour.host !== host) found.set(neighbour.host, neighbour);
      }
    }
    return [...found.values()];
  }

  /** Other hosts that tell of one of these MACs. */
  sharingMac(host: string, interfaces: readonly NetworkInterface[]): readonly string[] {
    const others = interfaces.flatMap(({ mac }) => this.#macs.get(mac) ?? []);
    return [...new Set(others)].filter((name) => name !== host);
  }
}

function add<Value>(index: Map<string, Value[]>, key: string, value: Value): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, [value]);
  else values.push(value);
}
