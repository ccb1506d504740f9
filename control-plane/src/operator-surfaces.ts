import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { createApi } from './api/create-api.js';
import { createHostLife } from './host-life.js';
import { createMetrics, type Metrics } from './metrics/create-metrics.js';
import type { OpenedRooms } from './open-rooms.js';

/** What operators and monitoring use: the control API and `/metrics`. */
export interface OperatorSurfaces {
  readonly api: ReturnType<typeof createApi>;
  readonly metrics: Metrics;
}

export function createOperatorSurfaces(
  rooms: OpenedRooms,
  serverUrls: () => readonly string[],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): OperatorSurfaces {
  const { registry, live, telemetry, router, link, feed, certificate, adminToken, gatewayMetrics } = rooms;
  const status = () => ({
    startedAtMs: rooms.startedAtMs,
    fabricFileDiffers: rooms.fabricFile.differsFrom(registry.declared.current()),
    linkedHosts: link.linkedCount(),
    feedSubscribers: feed.subscriberCount(),
    droppedObservations: registry.observations.droppedCount,
    droppedRequestRows: registry.requestLog.droppedCount,
  });
  const metrics = createMetrics({ live, status, gatewayMetrics, routerGauges: () => router.gauges() });
  const api = createApi(
    {
      ...{ clock, live, telemetry, router, status, serverUrls },
      fabricFile: rooms.fabricFile,
      logLevel: rooms.logLevel,
      tokens: registry.tokens,
      keys: registry.keys,
      declared: registry.declared,
      writes: registry.writes,
      createFeedTicket: (origin) => rooms.feedTickets.create(origin),
      reader: registry.reader,
      certificateSha256: certificate.certificateSha256,
      verifyAdminToken: (presented) => adminToken.verify(presented),
      backups: {
        draft: (withSecrets) => rooms.backupDesk.draft(withSecrets),
        status: () => rooms.backupSchedule.status,
      },
      hostLife: createHostLife({ registry, live, link, router, clock }),
    },
    log.child({ room: 'api' }),
  );
  return { api, metrics };
}
