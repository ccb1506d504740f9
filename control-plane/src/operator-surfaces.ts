import { hostname } from 'node:os';
import { createApi } from './api/create-api.js';
import { createChecks } from './checks/create-checks.js';
import { createHostCalls } from './host-calls.js';
import { createHostLife } from './host-life.js';
import { createHostSleeps } from './host-sleeps.js';
import { createHostWakes } from './host-wakes.js';
import type { ConnectionGauge } from './http/listeners.js';
import { createInstalls } from './install/installs.js';
import { keyPinOf } from './install/key-pin.js';
import { createMetrics, type Metrics } from './metrics/create-metrics.js';
import type { OpenedRooms, Surroundings } from './open-rooms.js';

/** What operators and monitoring use: the control API and `/metrics`. */
export interface OperatorSurfaces {
  readonly api: ReturnType<typeof createApi>;
  readonly metrics: Metrics;
  readonly checks: { close(): Promise<void> };
}

/** Where the listeners are, and what is open there. Read anew each time: addresses come and go. */
export interface ListenerView {
  /** Where agents reach the TLS listener, best first. */
  readonly tls: () => readonly string[];
  /** Where the plain one is reached from this machine; `null`: nowhere yet. */
  readonly gateway: () => string | null;
  readonly connections: () => readonly ConnectionGauge[];
}

export function createOperatorSurfaces(
  rooms: OpenedRooms,
  listeners: ListenerView,
  { clock, random, log, logTail, dataDirectory }: Surroundings & { readonly dataDirectory: string },
): OperatorSurfaces {
  const { registry, live, telemetry, router, link, feed, certificate, adminToken, gatewayMetrics, fleet } =
    rooms;
  const status = () => ({
    startedAtMs: rooms.startedAtMs,
    fabricFileDiffers: rooms.fabricFile.differsFrom(registry.declared.current()),
    linkedHosts: link.linkedCount(),
    feedSubscribers: feed.subscriberCount(),
    droppedObservations: registry.observations.droppedCount,
    droppedRequestRows: registry.requestLog.droppedCount,
  });
  const metrics = createMetrics({
    ...{ live, status, gatewayMetrics },
    routerGauges: () => router.gauges(),
    tunnels: () => rooms.tunnels.gauges(),
    wakes: () => fleet.wakes.gauges(),
    sleeps: () => fleet.sleeps.gauges(),
    connections: listeners.connections,
    spool: rooms.gateway.spool,
  });
  const checks = createChecks({
    ...{ clock, random, dataDirectory, live, certificate },
    declared: registry.declared,
    secrets: rooms.secrets,
    hostName: hostname(),
    log: log.child({ room: 'checks' }),
    logEntries: () => logTail?.entries() ?? [],
    roundTripMs: (hostName) => link.roundTripMs(hostName),
    routerGauges: () => router.gauges(),
    hostEvents: (limit) => registry.hostEvents(limit),
    gatewayUrl: listeners.gateway,
    backups: () => rooms.backupSchedule.lookNow(),
    counts: status,
  });
  const api = createApi(
    {
      ...{ clock, live, telemetry, router, status, checks },
      serverUrls: listeners.tls,
      fabricFile: rooms.fabricFile,
      logLevel: rooms.logLevel,
      tokens: registry.tokens,
      keys: registry.keys,
      declared: registry.declared,
      writes: registry.writes,
      createFeedTicket: (origin) => rooms.feedTickets.create(origin),
      reader: registry.reader,
      bodies: rooms.bodies,
      decisions: rooms.decisions,
      certificateSha256: certificate.certificateSha256,
      verifyAdminToken: (presented) => adminToken.verify(presented),
      backups: {
        draft: (withSecrets) => rooms.backupDesk.draft(withSecrets),
        status: () => rooms.backupSchedule.lookNow(),
      },
      hostLife: createHostLife({ registry, live, link, router, clock }),
      hostCalls: createHostCalls({ link, tunnels: rooms.tunnels }),
      hostWakes: createHostWakes(fleet),
      hostSleeps: createHostSleeps({ live, sleeps: fleet.sleeps }),
      installs: createInstalls(rooms.release, keyPinOf(certificate.certificatePem)),
    },
    log.child({ room: 'api' }),
  );
  return { api, metrics, checks };
}
