import { createHash } from 'node:crypto';
import type { Clock } from '@ai-fabric/shared';
import type { HostLife } from './api/host-life.js';
import type { LinkServer } from './link/link-server.js';
import type { LiveState } from './live/live-state.js';
import type { Registry } from './registry/registry-types.js';
import type { RunningRouter } from './router/create-router.js';

export interface HostLifeParts {
  readonly registry: Pick<Registry, 'hosts'>;
  readonly live: LiveState;
  readonly link: Pick<LinkServer, 'hasLink' | 'identityConflict' | 'clearIdentityConflict' | 'endHost'>;
  readonly router: Pick<RunningRouter, 'gauges'>;
  readonly clock: Clock;
}

const SHOWN_EVENTS = 20;

/** What an operator does to hosts: the registry commits it, then the live view shows it, then the link follows. */
export function createHostLife({ registry: { hosts }, live, link, router, clock }: HostLifeParts): HostLife {
  return {
    setDraining: (name, draining) => {
      if (hosts.setDraining(name, draining)) live.setDraining(name, draining);
    },
    record: (name) => {
      const host = hosts.findByName(name);
      if (!host) return null;
      const { enrolledAtMs, publicKey, machineSha256, hostId } = host;
      const keySha256 = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
      const events = hosts.recentEvents(hostId, SHOWN_EVENTS);
      return { identity: { enrolledAtMs, keySha256, machineSha256 }, events };
    },
    requestsInFlight: (deployments) => {
      const targets = router.gauges().targets.filter(({ target }) => deployments.has(target));
      return targets.reduce((sum, { inflight }) => sum + inflight, 0);
    },
    hasLink: (name) => link.hasLink(name),
    conflict: (name) => link.identityConflict(name),
    clearConflict: (name) => link.clearIdentityConflict(name),
    revoke: (name) => {
      const revokedAtMs = hosts.revoke(name, clock.nowMs());
      if (revokedAtMs === null) return;
      live.setRevoked(name, revokedAtMs);
      const detail = `An operator revoked host ${name}. Only "ai-fabric hosts re-enrol ${name}" lets it back, with a new key.`;
      link.endHost(name, 'revoked', detail);
    },
    remove: (name) => {
      hosts.remove(name, clock.nowMs());
      link.clearIdentityConflict(name);
      link.endHost(name, 'unknown_host', `An operator removed host ${name}. To come back it joins anew.`);
      live.removeHost(name);
    },
  };
}
