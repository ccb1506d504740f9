import { AGENT_AUTHORITY, POWER_PROTOCOL_VERSION, UPGRADE_PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { HostCalls } from './api/host-calls.js';
import type { LinkServer } from './link/link-server.js';
import type { TunnelLookup } from './tunnel/tunnel-book.js';

export interface HostCallParts {
  readonly link: Pick<LinkServer, 'ask' | 'protocolVersion'>;
  readonly tunnels: TunnelLookup;
}

/** What the control API asks of agents: commands go over the link, questions through the tunnel. */
export function createHostCalls({ link, tunnels }: HostCallParts): HostCalls {
  const isOlder = (host: string, step: number): boolean => {
    const version = link.protocolVersion(host);
    return version !== null && version < step;
  };
  return {
    request: async (host, { method, path }, signal) => {
      const tunnel = tunnels.tunnel(host);
      if (!tunnel) return null;
      const question = { deployment: AGENT_AUTHORITY, method, path, headers: {} };
      const { status, body } = await tunnel.request(question, signal);
      // An answer that nobody reads any more must not end the process when its tunnel breaks.
      body.on('error', () => undefined);
      return { status, body };
    },
    removeOrphans: (host, containerIds, deadlineMs) =>
      link.ask(host, { name: 'remove_orphans', containerIds: [...containerIds] }, deadlineMs),
    tellOwner: (host, verb, deadlineMs) => {
      if (isOlder(host, POWER_PROTOCOL_VERSION)) return 'too_old';
      return link.ask(host, { name: verb }, deadlineMs);
    },
    offerUpgrade: (host, offer, deadlineMs) => {
      if (isOlder(host, UPGRADE_PROTOCOL_VERSION)) return 'too_old';
      return link.ask(host, { name: 'offer_upgrade', ...offer }, deadlineMs);
    },
  };
}
