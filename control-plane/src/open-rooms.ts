import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { BUILD, type Clock, type Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { BackupDesk } from './backup/backup-desk.js';
import { BackupSchedule } from './backup/backup-schedule.js';
import { BodyStore } from './bodies/body-store.js';
import { BodyCapture } from './bodies/capture-body.js';
import { type AdminToken, openAdminToken } from './certificate/admin-token.js';
import { openCertificate, type ServerCertificate } from './certificate/certificate.js';
import { guardDirectory } from './certificate/guard-directory.js';
import type { Closers } from './closers.js';
import { AzureKeyVault } from './config/azure-key-vault.js';
import type { ControlPlaneConfig } from './config/control-plane-config.js';
import { dataDirectoryLayout } from './config/data-directory-layout.js';
import { type Environment, processEnvironment } from './config/environment.js';
import { createSecretSources } from './config/secret-sources.js';
import { createSecretReader, type SecretReader } from './config/secrets.js';
import { listSecretReferences } from './declared/decide/list-secret-references.js';
import type { DeclaredSource } from './declared/declared-state.js';
import { WatchedFabricFile } from './declared/watched-fabric-file.js';
import { FeedTickets } from './feed/feed-tickets.js';
import { createTelemetryFeed, type TelemetryFeed } from './feed/telemetry-feed.js';
import { createFleet, type Fleet } from './fleet/create-fleet.js';
import { type Admission, createAdmission } from './gateway/admission/create-admission.js';
import { KeyRing } from './gateway/admission/key-ring.js';
import { createOwnAddresses } from './gateway/admission/own-addresses.js';
import { createGateway, type Gateway } from './gateway/create-gateway.js';
import { GatewayMetrics } from './gateway/gateway-metrics.js';
import type { RequestRecorder } from './gateway/request-record.js';
import { TelemetryHistory } from './history/telemetry-history.js';
import { ReleaseFolder } from './install/release-folder.js';
import { createLinkServer, type LinkServer } from './link/link-server.js';
import { LiveState } from './live/live-state.js';
import { LiveLogLevel } from './live-log-level.js';
import type { LogTail } from './log-tail.js';
import { openRegistry } from './registry/open-registry.js';
import { RecentDecisions } from './registry/recent-decisions.js';
import type { Registry } from './registry/registry-types.js';
import { createRouter, type RunningRouter } from './router/create-router.js';
import { TunnelBook } from './tunnel/tunnel-book.js';
import { TunnelServer } from './tunnel/tunnel-server.js';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What the log told last; `null` where whoever started the program keeps no such thing. */
  readonly logTail: Pick<LogTail, 'entries'> | null;
}

/** Everything behind the listeners. */
export interface OpenedRooms {
  readonly logLevel: LiveLogLevel;
  readonly registry: Registry;
  readonly startedAtMs: number;
  /** What `--config` named. */
  readonly fabricFile: WatchedFabricFile;
  readonly certificate: ServerCertificate;
  readonly adminToken: AdminToken;
  readonly live: LiveState;
  readonly telemetry: TelemetryHistory;
  readonly router: RunningRouter;
  readonly secrets: SecretReader;
  readonly link: LinkServer;
  readonly tunnels: TunnelBook;
  readonly tunnelServer: TunnelServer;
  readonly feed: TelemetryFeed;
  /** Hosts' power, and their wakes. */
  readonly fleet: Fleet;
  readonly feedTickets: FeedTickets;
  readonly gateway: Gateway;
  readonly gatewayMetrics: GatewayMetrics;
  readonly bodies: BodyStore;
  readonly decisions: RecentDecisions;
  readonly admission: Admission;
  readonly backupDesk: BackupDesk;
  readonly backupSchedule: BackupSchedule;
  /** What hosts install from. */
  readonly release: ReleaseFolder;
  /** Resolves when each declared secret was looked at once. */
  readonly secretsRead: () => Promise<void>;
}

/**
 * Opens the rooms in the order in which they depend on each other; each is closed through `closers`, those that carry
 * traffic excepted, whose end the listeners' closing orders.
 */
export async function openRooms(
  config: ControlPlaneConfig,
  { clock, random, log }: Surroundings,
  closers: Closers,
): Promise<OpenedRooms> {
  const startedAtMs = clock.nowMs();
  // Before the first room's logger: it knows those that are made after it.
  const logLevel = new LiveLogLevel(log);
  const layout = dataDirectoryLayout(config.dataDirectory);
  const room = (name: string): Logger => log.child({ room: name });
  const registry = openRegistry({ dataDirectory: config.dataDirectory, clock, log: room('registry') });
  closers.add(() => registry.close());
  const { declared, hosts, observations } = registry;
  const { decisions, requestLog } = keepDecisions(registry);
  const environment = processEnvironment();
  const windowsDirectory = environment['SystemRoot'] ?? 'C:\\Windows';
  await guardDirectory(config.dataDirectory, { windowsDirectory, log: room('certificate') });
  const certificate = await openCertificate({
    directory: layout.certificateDirectory,
    hostName: hostname(),
    nowMs: clock.nowMs(),
  });
  const adminToken = openAdminToken(layout.adminTokenFile);

  const live = new LiveState({ clock, log: room('live') });
  live.seed(hosts.list(), declared.current());
  closers.add(declared.onChange((state) => live.applyDeclared(state)));
  const telemetry = new TelemetryHistory({
    ...{ live, observations, clock, runId: randomUUID() },
    read: (question) => registry.reader.query('telemetry', question),
  });
  closers.add(() => telemetry.close());
  const around = { clock, log: room('secrets') };
  const { secrets, secretsRead } = openSecrets(declared, environment, around, closers);
  const { learned } = registry;
  const router = createRouter({ declared, live, secrets, learned, clock, random, log: room('router') });
  closers.add(() => router.close());

  const { certificateSha256 } = certificate;
  const agents = openAgentRooms({ registry, live, router, certificateSha256, config, clock, room }, closers);
  const { tunnels } = agents;
  const feed = createTelemetryFeed({ live, clock, log: room('feed') });
  const gatewayMetrics = new GatewayMetrics();
  const { bodies, gateway } = openGateway(
    { registry, router, secrets, tunnels, live, gatewayMetrics, requestLog, fleet: agents.fleet },
    config,
    { clock, log },
    closers,
  );
  const backupDesk = new BackupDesk({ layout, certificateSha256, clock });
  const backupSchedule = new BackupSchedule({ declared, desk: backupDesk, clock, log: room('backup') });
  closers.add(() => backupSchedule.close());
  const keys = new KeyRing({
    store: registry.keys,
    isAdminToken: (presented) => adminToken.verify(presented),
    onRevoked: (keyId) => gateway.endRequestsOf(keyId),
    clock,
  });
  closers.add(() => keys.close());
  const admission = createAdmission({
    ...{ declared, clock, random, keys, requestLog },
    hostName: hostname(),
    ownAddresses: createOwnAddresses(clock),
  });
  return {
    ...{ registry, decisions, startedAtMs, logLevel, certificate, adminToken, live, telemetry, router, feed },
    ...agents,
    ...{ gateway, gatewayMetrics, bodies, admission, backupDesk, backupSchedule, secrets, secretsRead },
    fabricFile: new WatchedFabricFile(config.fabricFile),
    release: openRelease(config, room('install')),
    feedTickets: new FeedTickets(clock, randomBytes),
  };
}

function openRelease({ releaseDirectory: directory }: ControlPlaneConfig, log: Logger): ReleaseFolder {
  return new ReleaseFolder({ directory, releaseKey: BUILD.releaseKey, log });
}

/** Every row goes to the registry, and into memory too. */
function keepDecisions(registry: Registry): {
  readonly decisions: RecentDecisions;
  readonly requestLog: RequestRecorder;
} {
  const decisions = new RecentDecisions();
  const append: RequestRecorder['append'] = (row) => {
    decisions.append(row);
    registry.requestLog.append(row);
  };
  return { decisions, requestLog: { append } };
}

/** The gateway, and where it keeps the bodies of keys that ask for it. */
function openGateway(
  {
    registry,
    router,
    secrets,
    tunnels,
    gatewayMetrics,
    live,
    requestLog,
    fleet,
  }: Pick<
    OpenedRooms,
    'registry' | 'router' | 'secrets' | 'tunnels' | 'gatewayMetrics' | 'live' | 'fleet'
  > & {
    readonly requestLog: RequestRecorder;
  },
  config: ControlPlaneConfig,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
  closers: Closers,
): Pick<OpenedRooms, 'bodies' | 'gateway'> {
  const { keys } = registry;
  const { bodiesDirectory: directory, spoolDirectory } = dataDirectoryLayout(config.dataDirectory);
  const bodies = new BodyStore({ directory, keys, clock, log: log.child({ room: 'bodies' }) });
  closers.add(() => bodies.close());
  const gateway = createGateway({
    ...{ router, secrets, tunnels, live, config, clock, metrics: gatewayMetrics, requestLog },
    wakes: fleet.wakes,
    spoolDirectory,
    captureBody: (response, asked) =>
      new BodyCapture(
        response,
        asked,
        (body) => bodies.append(body),
        () => clock.nowMs(),
      ),
    log: log.child({ room: 'gateway' }),
  });
  return { bodies, gateway };
}

interface AgentRoomsParts extends Pick<Surroundings, 'clock'> {
  readonly registry: Registry;
  readonly live: LiveState;
  readonly router: RunningRouter;
  readonly certificateSha256: string;
  readonly config: ControlPlaneConfig;
  readonly room: (name: string) => Logger;
}

/** What agents dial: the link, and the tunnel that goes with it; and who wakes their hosts. */
function openAgentRooms(
  { registry, live, router, certificateSha256, config, clock, room }: AgentRoomsParts,
  closers: Closers,
): Pick<OpenedRooms, 'link' | 'tunnels' | 'tunnelServer' | 'fleet'> {
  const { declared, hosts, observations } = registry;
  const tunnels = new TunnelBook({ declared, live, clock, log: room('tunnel') });
  const link = createLinkServer({
    ...{ hosts, observations, live, declared, certificateSha256, clock, randomBytes },
    log: room('link'),
    onHostEnded: (hostName, detail) => tunnels.endHost(hostName, detail),
  });
  const tunnelServer = new TunnelServer({
    ...{ hosts, certificateSha256, clock, randomBytes, book: tunnels, log: room('tunnel') },
    linkedInstanceId: (hostName) => link.linkedInstanceId(hostName),
  });
  const { wakePorts, dataDirectory } = config;
  const { wakersFile } = dataDirectoryLayout(dataDirectory);
  const fleet = createFleet({
    ...{ live, declared, link, store: registry.power, wakePorts, wakersFile, newId: randomUUID, clock },
    use: router,
    environment: processEnvironment(),
    requestsInFlight: () =>
      new Map(router.gauges().targets.map(({ target, inflight }) => [target, inflight])),
    log: room('fleet'),
  });
  closers.add(() => fleet.close());
  return { link, tunnels, tunnelServer, fleet };
}

/** Reads what is declared to be found elsewhere, again whenever that changes. */
function openSecrets(
  declared: DeclaredSource,
  env: Environment,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
  closers: Closers,
): Pick<OpenedRooms, 'secrets' | 'secretsRead'> {
  const lookAt = createSecretSources({ env, keyVault: new AzureKeyVault() });
  const secrets = createSecretReader({ env, lookAt, clock, log });
  closers.add(() => secrets.close());
  let secretsRead = secrets.watch(listSecretReferences(declared.current()));
  closers.add(
    declared.onChange((state) => {
      secretsRead = secrets.watch(listSecretReferences(state));
    }),
  );
  return { secrets, secretsRead: () => secretsRead };
}
