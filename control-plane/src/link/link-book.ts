import type { Contention } from './decide/link-lifecycle.js';
import type { LinkEntry } from './link-entry.js';

/** All connections, and which of them has the link of a host. */
export class LinkBook {
  readonly #entries = new Map<number, LinkEntry>();
  readonly #byHost = new Map<string, LinkEntry>();

  /** Connections, whatever their state. */
  get openCount(): number {
    return this.#entries.size;
  }

  get linkedCount(): number {
    return this.#byHost.size;
  }

  all(): Iterable<LinkEntry> {
    return this.#entries.values();
  }

  /** Hosts that have a link. */
  hosts(): Iterable<string> {
    return this.#byHost.keys();
  }

  byId(linkId: number): LinkEntry | undefined {
    return this.#entries.get(linkId);
  }

  /** The link that a host has. */
  of(hostName: string): LinkEntry | undefined {
    return this.#byHost.get(hostName);
  }

  /** How one that says to be this agent process of a host stands to the link that the host has. */
  contentionOf(hostName: string, instanceId: string): Contention {
    const incumbent = this.#byHost.get(hostName);
    if (incumbent?.state.name !== 'linked') return 'free';
    return incumbent.state.instanceId === instanceId || !incumbent.socket.isOpen()
      ? 'take_over'
      : 'contested';
  }

  opened(entry: LinkEntry): void {
    this.#entries.set(entry.id, entry);
  }

  closed(entry: LinkEntry): void {
    this.#entries.delete(entry.id);
  }

  /** @returns the link that had the host before */
  take(hostName: string, entry: LinkEntry): LinkEntry | undefined {
    const predecessor = this.#byHost.get(hostName);
    this.#byHost.set(hostName, entry);
    return predecessor;
  }

  /** @returns false where a successor has the host already */
  leave(hostName: string, entry: LinkEntry): boolean {
    if (this.#byHost.get(hostName) !== entry) return false;
    this.#byHost.delete(hostName);
    return true;
  }
}
