import { type Clock, type Random, systemClock } from '@ai-fabric/shared';
import { type Logger, pino } from 'pino';
import { createApi } from './api/create-api.js';
import { Closers } from './closers.js';
import type { ControlPlaneConfig } from './config/control-plane-config.js';
import { dataDirectoryLayout } from './config/data-directory-layout.js';
import { removeEndpointFile, writeEndpointFile } from './endpoint-file.js';
import { createDispatch } from './http/dispatch.js';
import { type Listeners, openListeners } from './http/listeners.js';
import { createMetrics } from './metrics/create-metrics.js';
import { type OpenedRooms, openRooms, type Surroundings } from './open-rooms.js';
import { toStartError } from './start-error.js';

export interface ControlPlane {
  /** Where clients reach `/v1` in clear, as `http://127.0.0.1:8000`. Grows when an address that was absent comes up. */
  readonly plainUrls: readonly string[];
  /** Where agents, the control API and clients are answered over TLS. */
  readonly tlsUrls: readonly string[];
  readonly certificateSha256: string;
  readonly adminTokenFile: string;
  /** What `--config` named differs from the registry, which wins until somebody applies the file. */
  readonly fabricFileDiffers: boolean;
  /** Ends accepting, lets requests finish for a while, says goodbye to agents, closes the registry. Safe to call twice. */
  close(): Promise<void>;
}

/** How long streams may go on after the control plane was told to stop. */
const CLOSE_GRACE_MS = 10_000;

/**
 * Starts the whole control plane; what was started is closed again when a later part fails.
 *
 * @param surroundings the system's clock, randomness and a log to standard output where left out
 * @throws StartError with what mends it
 */
export async function startControlPlane(
  config: ControlPlaneConfig,
  surroundings: { readonly clock?: Clock; readonly random?: Random; readonly log?: Logger } = {},
): Promise<ControlPlane> {
  const { clock = systemClock(), random = Math.random, log = pino() } = surroundings;
  const closers = new Closers();
  try {
    return await start(config, { clock, random, log }, closers);
  } catch (error) {
    await closers.close();
    throw toStartError(error);
  }
}

async function start(
  config: ControlPlaneConfig,
  around: Surroundings,
  closers: Closers,
): Promise<ControlPlane> {
  const layout = dataDirectoryLayout(config.dataDirectory);
  const rooms = await openRooms(config, around, closers);
  const listeners = await openAll(config, rooms, around, closers);
  const { certificateSha256 } = rooms.certificate;
  const tellWhere = () =>
    writeEndpointFile(layout.endpointFile, listeners, certificateSha256, layout.adminTokenFile);
  tellWhere();
  // Where no address was there at first, this is when the operator's commands learn of one.
  listeners.onLaterAddress(tellWhere);
  closers.add(() => removeEndpointFile(layout.endpointFile));
  const { revision } = rooms.registry.declared.current();
  around.log.info({ plain: listeners.plainUrls, tls: listeners.tlsUrls, revision }, 'control plane is up');
  return {
    get plainUrls() {
      return listeners.plainUrls;
    },
    get tlsUrls() {
      return listeners.tlsUrls;
    },
    certificateSha256,
    adminTokenFile: layout.adminTokenFile,
    fabricFileDiffers: rooms.fabricFileDiffers,
    close: () => closers.close(),
  };
}

async function openAll(
  config: ControlPlaneConfig,
  rooms: OpenedRooms,
  { clock, random, log }: Surroundings,
  closers: Closers,
): Promise<Listeners> {
  const { registry, live, router, link, feed, gateway, admission, certificate } = rooms;
  const startedAtMs = clock.nowMs();
  const status = () => ({
    startedAtMs,
    fabricFileDiffers: rooms.fabricFileDiffers,
    linkedHosts: link.linkedCount(),
    feedSubscribers: feed.subscriberCount(),
    droppedObservations: registry.observations.droppedCount,
  });
  const metrics = createMetrics({
    ...{ live, status, gatewayMetrics: rooms.gatewayMetrics },
    routerGauges: () => router.gauges(),
  });
  closers.add(() => metrics.close());
  let tlsUrls: () => readonly string[] = () => [];
  const api = createApi(
    apiContext(rooms, clock, status, () => tlsUrls()),
    log.child({ room: 'api' }),
  );
  const handlers = createDispatch(
    {
      gateway: (request, response) => {
        const context = admission.admit(request, response);
        if (context !== null) gateway.handle(request, response, context);
      },
      api: (request) => api.fetch(request),
      metricsText: metrics.text,
      notReady: () => notReady(registry.declared.current().revision),
      link: (request, socket, head) => link.handleUpgrade(request, socket, head),
      feed: (request, socket, head) => feed.handleUpgrade(request, socket, head),
      verifyAdminToken: (presented) => rooms.adminToken.verify(presented),
      isOwnHost: (request) => admission.isOwnHost(request),
    },
    log.child({ room: 'http' }),
  );
  const listeners = await openListeners({
    ...{ port: config.port, tlsPort: config.tlsPort, hosts: config.listenHosts },
    ...{ certificate, handlers, clock, random, log: log.child({ room: 'http' }) },
  });
  tlsUrls = () => listeners.tlsUrls;
  closers.add(async () => {
    listeners.stopAccepting();
    // Requests first: what an agent does on a goodbye must not cost a stream that is still under way.
    await gateway.close(CLOSE_GRACE_MS);
    await Promise.all([feed.close(), link.close()]);
    await listeners.close();
  });
  return listeners;
}

function apiContext(
  { registry, live, router, certificate, adminToken }: OpenedRooms,
  clock: Clock,
  status: Parameters<typeof createApi>[0]['status'],
  serverUrls: () => readonly string[],
): Parameters<typeof createApi>[0] {
  return {
    ...{ clock, live, router, status, serverUrls },
    tokens: registry.tokens,
    declared: registry.declared,
    certificateSha256: certificate.certificateSha256,
    verifyAdminToken: (presented) => adminToken.verify(presented),
    setDraining: (name, draining) => {
      if (registry.hosts.setDraining(name, draining)) live.setDraining(name, draining);
    },
  };
}

function notReady(declaredRevision: number): string[] {
  return declaredRevision === 0 ? ['nothing is declared yet: start once with --config fabric.yaml'] : [];
}
