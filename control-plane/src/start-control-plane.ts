import { existsSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { atMost } from './at-most.js';
import { Closers } from './closers.js';
import type { ControlPlaneConfig } from './config/control-plane-config.js';
import { dataDirectoryLayout } from './config/data-directory-layout.js';
import { refuseBadSeed, seedFromFile } from './declared/seed-from-file.js';
import { removeEndpointFile, writeEndpointFile } from './endpoint-file.js';
import { advertiseUrls } from './http/decide/advertise-urls.js';
import { createDispatch } from './http/dispatch.js';
import { type Listeners, openListeners } from './http/listeners.js';
import { InstallDesk } from './install/install-desk.js';
import { type OpenedRooms, openRooms, type Surroundings } from './open-rooms.js';
import type { ListenerView, OperatorSurfaces } from './operator-surfaces.js';
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

/** A vault that does not answer holds up no start. */
const FIRST_SECRETS_MS = 2_000;

/**
 * Starts the whole control plane; what was started is closed again when a later part fails.
 *
 * @param surroundings the system's clock, randomness and a log to standard output where left out
 * @throws StartError with what mends it
 */
export async function startControlPlane(
  config: ControlPlaneConfig,
  surroundings: Partial<Surroundings> = {},
): Promise<ControlPlane> {
  const { clock = systemClock(), random = Math.random, log = pino(), logTail = null } = surroundings;
  const closers = new Closers();
  try {
    return await start(config, { clock, random, log, logTail }, closers);
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
  if (!existsSync(layout.registryFile)) refuseBadSeed(config.fabricFile);
  const rooms = await openRooms(config, around, closers);
  const listeners = await openAll(config, rooms, around, closers);
  // Not before: a start that fails on a taken port must not have declared anything.
  const { declared } = rooms.registry;
  const fabricFileDiffers = seedFromFile(config.fabricFile, declared, around.log.child({ room: 'declared' }));
  await atMost(FIRST_SECRETS_MS, rooms.secretsRead(), around.clock);
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
      return advertised(listeners.plainUrls);
    },
    get tlsUrls() {
      return advertised(listeners.tlsUrls);
    },
    certificateSha256,
    adminTokenFile: layout.adminTokenFile,
    fabricFileDiffers,
    close: () => closers.close(),
  };
}

async function openAll(
  config: ControlPlaneConfig,
  rooms: OpenedRooms,
  { clock, random, log, logTail }: Surroundings,
  closers: Closers,
): Promise<Listeners> {
  const { registry, link, tunnels, tunnelServer, feed, gateway, admission, certificate } = rooms;
  let opened: ListenerView = { tls: () => [], gateway: () => null, connections: () => [] };
  const operator = loadOnce(
    rooms,
    { tls: () => opened.tls(), gateway: () => opened.gateway(), connections: () => opened.connections() },
    { clock, random, log, logTail, dataDirectory: config.dataDirectory },
  );
  closers.add(() => operator.close());
  const installs = new InstallDesk(rooms.release, log.child({ room: 'install' }));
  const handlers = createDispatch(
    {
      gateway: (request, response) => {
        const context = admission.admit(request, response);
        if (context !== null) gateway.handle(request, response, context);
      },
      api: async (request) => (await operator.surfaces()).api.fetch(request),
      install: (request, response) => installs.handle(request, response),
      metricsText: async () => (await operator.surfaces()).metrics.text(),
      notReady: () => notReady(registry.declared.current().revision),
      link: (request, socket, head) => link.handleUpgrade(request, socket, head),
      tunnel: (request, socket, head) => tunnelServer.handleUpgrade(request, socket, head),
      feed: (request, socket, head) => feed.handleUpgrade(request, socket, head),
      verifyAdminToken: (presented) => rooms.adminToken.verify(presented),
      isOwnHost: (request) => admission.isOwnHost(request),
      pageOrigin: (request) => admission.pageOrigin(request),
      takeFeedTicket: (ticket, origin) => rooms.feedTickets.take(ticket, origin),
    },
    log.child({ room: 'http' }),
  );
  const listeners = await openListeners({
    ...{ port: config.port, tlsPort: config.tlsPort, hosts: config.listenHosts },
    maxConnections: config.maxConnections,
    ...{ certificate, handlers, clock, random, log: log.child({ room: 'http' }) },
  });
  opened = {
    tls: () => advertised(listeners.tlsUrls),
    gateway: () => reachableFromHere(listeners.plainUrls[0] ?? null),
    connections: () => listeners.connections(),
  };
  await operator.surfaces();
  // In the background: its files are hashed before somebody asks for them.
  void rooms.release.look();
  closers.add(async () => {
    listeners.stopAccepting();
    // Requests first: what an agent does on a goodbye must not cost a stream that is still under way.
    await gateway.close(config.closeGraceSeconds * 1000);
    tunnelServer.close();
    // What agents do when the link ends says nothing of their hosts' power.
    rooms.fleet.close();
    await Promise.all([feed.close(), link.close(), tunnels.close()]);
    await listeners.close();
  });
  return listeners;
}

/**
 * The operator's surfaces are read from the disk once the listeners are open: their libraries are a third of the time
 * that a start takes, and nobody's request for a token waits for them.
 */
function loadOnce(
  rooms: OpenedRooms,
  listeners: ListenerView,
  around: Surroundings & { readonly dataDirectory: string },
) {
  let loading: Promise<OperatorSurfaces> | null = null;
  return {
    surfaces: (): Promise<OperatorSurfaces> => {
      loading ??= import('./operator-surfaces.js').then((module) =>
        module.createOperatorSurfaces(rooms, listeners, around),
      );
      return loading;
    },
    close: async (): Promise<void> => {
      const surfaces = await loading;
      surfaces?.metrics.close();
      await surfaces?.checks.close();
    },
  };
}

/** "All addresses" is none that can be asked. */
function reachableFromHere(url: string | null): string | null {
  return url?.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:') ?? null;
}

/** Read anew each time: addresses come and go. */
function advertised(urls: readonly string[]): string[] {
  const entries = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const usable = entries.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return advertiseUrls(urls, { hostName: hostname(), addresses: usable.map(({ address }) => address) });
}

function notReady(declaredRevision: number): string[] {
  return declaredRevision === 0 ? ['nothing is declared yet: start once with --config fabric.yaml'] : [];
}
