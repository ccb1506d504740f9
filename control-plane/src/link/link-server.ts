import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Command } from '@ai-fabric/shared';
import { connectionsEnded } from '../http/connections-ended.js';
import { refuseUpgrade } from '../http/refuse-upgrade.js';
import type { CommandEnd } from './host-commands.js';
import type { IdentityConflict } from './identity-conflicts.js';
import { LinkLoop, TICK_MS } from './link-loop.js';
import type { LinkParts } from './link-parts.js';
import { createLinkSocketAcceptor, type LinkSocketAcceptor } from './link-socket.js';
import type { ReportCounters } from './report-desk.js';

/** The agents' side of the control plane. */
export interface LinkServer {
  /** Takes an upgrade of `LINK_PATH` on the TLS listener. Answers it whatever it is. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Hosts with a link. */
  linkedCount(): number;
  /** Connections, those that have not said who they are among them. */
  openCount(): number;
  /** Of a linked host's last heartbeat; `null`: it has no link, or none came back yet. */
  roundTripMs(hostName: string): number | null;
  /** What was dropped of reports, since start. */
  counters(): Readonly<ReportCounters>;
  hasLink(hostName: string): boolean;
  /** What a linked host's agent speaks; `null`: it has no link. */
  protocolVersion(hostName: string): number | null;
  /**
   * Sends a command. Resolves when its outcome is here; as `expired` when none came within `ttlMs`, over new links
   * too.
   *
   * @returns `null`: the host has no link, and nothing was sent
   */
  ask(hostName: string, command: Command, ttlMs: number): Promise<CommandEnd> | null;
  /** The agent process that has the host's link; `null`: none has. */
  linkedInstanceId(hostName: string): string | null;
  /** Who else came with this host's key. */
  identityConflict(hostName: string): IdentityConflict | null;
  /** An operator has dealt with a host's `identity_in_use`. @returns false when there was none */
  clearIdentityConflict(hostName: string): boolean;
  /** Ends the link of a host whose key the registry does not take any more. */
  endHost(hostName: string, reason: 'revoked' | 'unknown_host', detail: string): void;
  /** Says goodbye to every agent and resolves when all connections have ended: two seconds at the most. */
  close(): Promise<void>;
}

export interface LinkServerParts extends LinkParts {
  /** Who finishes upgrades; left out, `ws` does. */
  readonly acceptor?: LinkSocketAcceptor;
}

/** Starts to take links. The live view must be seeded, and follow the declared state by itself. */
export function createLinkServer(parts: LinkServerParts): LinkServer {
  const acceptor = parts.acceptor ?? createLinkSocketAcceptor();
  const loop = new LinkLoop(parts);
  const timer = parts.clock.every(TICK_MS, () => loop.tick());
  const unfollow = parts.declared.onChange(() => loop.sendDesiredToAll());
  let closing = false;
  return {
    handleUpgrade: (request, socket, head) => {
      if (closing || loop.isFull)
        refuseUpgrade(socket, 503, 'too many agents at once, or the control plane is closing');
      else acceptor.accept(request, socket, head, (linkSocket) => loop.open(linkSocket));
    },
    linkedCount: () => loop.linkedCount,
    openCount: () => loop.openCount,
    roundTripMs: (hostName) => loop.roundTripMs(hostName),
    counters: () => loop.counters,
    hasLink: (hostName) => loop.hasLink(hostName),
    protocolVersion: (hostName) => loop.protocolVersion(hostName),
    ask: (hostName, command, ttlMs) => loop.ask(hostName, command, ttlMs),
    linkedInstanceId: (hostName) => loop.linkedInstanceId(hostName),
    identityConflict: (hostName) => loop.conflicts.of(hostName),
    clearIdentityConflict: (hostName) => loop.conflicts.clear(hostName),
    endHost: (hostName, reason, detail) => loop.endHost(hostName, reason, detail),
    close: async () => {
      closing = true;
      timer.cancel();
      unfollow();
      loop.evictAll('service_stop', 'The control plane stops. Agents try again until it is back.');
      await connectionsEnded(() => loop.openCount);
    },
  };
}
