import type { GoodbyeReason } from '@ai-fabric/shared';
import type { Hello, LinkEvent } from './decide/link-lifecycle.js';
import { identifyHost } from './identify-host.js';
import type { IdentityConflicts } from './identity-conflicts.js';
import type { LinkBook } from './link-book.js';
import type { LinkEntry } from './link-entry.js';
import type { LinkLog } from './link-log.js';
import type { LinkParts } from './link-parts.js';

export interface IdentityDeskParts {
  readonly parts: LinkParts;
  readonly links: LinkBook;
  readonly conflicts: IdentityConflicts;
  readonly log: LinkLog;
  /** Tells the loop what came of it. */
  readonly dispatch: (entry: LinkEntry, event: LinkEvent) => void;
  readonly endHost: (hostName: string, reason: GoodbyeReason, detail: string) => void;
}

/** Finds out who a connection is, and refuses those that claim another's host. */
export class IdentityDesk {
  readonly #desk: IdentityDeskParts;

  constructor(desk: IdentityDeskParts) {
    this.#desk = desk;
  }

  identify(entry: LinkEntry, hello: Hello): void {
    const { parts, links, conflicts, log, dispatch, endHost } = this.#desk;
    const isContested = links.contentionOf(hello.hostName, hello.instanceId) === 'contested';
    const found = identifyHost(hello, entry.nonce, parts.clock.nowMs(), isContested, parts);
    if (!found.ok) {
      if (found.copyOf !== null) this.#noteCopy(entry, found.copyOf);
      dispatch(entry, { type: 'refused', reason: found.reason, detail: found.detail });
      return;
    }
    const { identity } = found;
    entry.joinsWhenWon = found.asksFirst;
    if (found.enrolled) log.joined(identity.hostName, entry.socket.peerAddress);
    if (found.keyReplaced) {
      const detail = `Another key took the place of this one of host ${identity.hostName}.`;
      endHost(identity.hostName, 'revoked', detail);
      conflicts.clear(identity.hostName);
    }
    const contention = links.contentionOf(identity.hostName, hello.instanceId);
    dispatch(entry, { type: 'identified', identity, contention });
  }

  /** Another agent of the host that it claims lives. */
  refuseRival(entry: LinkEntry, hostName: string): void {
    const { links, conflicts, log, dispatch } = this.#desk;
    const triedFrom = entry.socket.peerAddress;
    const linkedFrom = links.of(hostName)?.socket.peerAddress ?? 'elsewhere';
    if (entry.joinsWhenWon) {
      this.#refuseJoin(entry, hostName, linkedFrom);
      return;
    }
    conflicts.raise(hostName, { kind: 'another_agent', linkedFrom, triedFrom });
    const detail = `Another agent with the key of host ${hostName} is linked from ${linkedFrom} and alive. If this machine is a copy, join it with a new token under a name of its own.`;
    log.refused(triedFrom, 'identity_in_use', detail);
    dispatch(entry, { type: 'refused', reason: 'identity_in_use', detail });
  }

  /** The link that it waited for is dead. @returns whether it has joined */
  joinNow(entry: LinkEntry, hello: Hello): boolean {
    const { parts, conflicts, log, dispatch } = this.#desk;
    entry.joinsWhenWon = false;
    const found = identifyHost(hello, entry.nonce, parts.clock.nowMs(), false, parts);
    if (!found.ok) {
      dispatch(entry, { type: 'evict', reason: found.reason, detail: found.detail });
      return false;
    }
    log.joined(found.identity.hostName, entry.socket.peerAddress);
    conflicts.clear(found.identity.hostName);
    return true;
  }

  #noteCopy({ socket }: LinkEntry, hostName: string): void {
    const { links, conflicts } = this.#desk;
    const linkedFrom = links.of(hostName)?.socket.peerAddress ?? null;
    conflicts.raise(hostName, { kind: 'another_machine', linkedFrom, triedFrom: socket.peerAddress });
  }

  /** It would have taken the key of a host whose agent runs. The token is still good. */
  #refuseJoin(entry: LinkEntry, hostName: string, linkedFrom: string): void {
    const { conflicts, log, dispatch } = this.#desk;
    const triedFrom = entry.socket.peerAddress;
    conflicts.raise(hostName, { kind: 'another_key', linkedFrom, triedFrom });
    const detail = `An agent of this machine is linked as ${hostName}, from ${linkedFrom}, and alive, with another key. Stop it, then join again with the same token; or join with --name and a name of its own. An operator replaces a key with "ai-fabric hosts re-enrol ${hostName}".`;
    log.refused(triedFrom, 'name_taken', detail);
    dispatch(entry, { type: 'refused', reason: 'name_taken', detail });
  }
}
