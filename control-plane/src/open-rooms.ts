import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { type AdminToken, openAdminToken } from './certificate/admin-token.js';
import { openCertificate, type ServerCertificate } from './certificate/certificate.js';
import type { Closers } from './closers.js';
import type { ControlPlaneConfig } from './config/control-plane-config.js';
import { dataDirectoryLayout } from './config/data-directory-layout.js';
import { processEnvironment } from './config/environment.js';
import { createSecretReader, type SecretReader } from './config/secrets.js';
import { createTelemetryFeed, type TelemetryFeed } from './feed/telemetry-feed.js';
import { type Admission, createAdmission } from './gateway/admission/create-admission.js';
import { createKeyLookup } from './gateway/admission/key-lookup.js';
import { createOwnAddresses } from './gateway/admission/own-addresses.js';
import { createGateway, type Gateway } from './gateway/create-gateway.js';
import { GatewayMetrics } from './gateway/gateway-metrics.js';
import { createLinkServer, type LinkServer } from './link/link-server.js';
import { LiveState } from './live/live-state.js';
import { openRegistry } from './registry/open-registry.js';
import type { Registry } from './registry/registry-types.js';
import { createRouter, type RunningRouter } from './router/create-router.js';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Everything behind the listeners. */
export interface OpenedRooms {
  readonly registry: Registry;
  readonly startedAtMs: number;
  /** What `--config` named, compared with the registry; known once the listeners are open. */
  readonly fabricFile: { differs: boolean };
  readonly certificate: ServerCertificate;
  readonly adminToken: AdminToken;
  readonly live: LiveState;
  readonly router: RunningRouter;
  readonly secrets: SecretReader;
  readonly link: LinkServer;
  readonly feed: TelemetryFeed;
  readonly gateway: Gateway;
  readonly gatewayMetrics: GatewayMetrics;
  readonly admission: Admission;
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
  const layout = dataDirectoryLayout(config.dataDirectory);
  const room = (name: string): Logger => log.child({ room: name });
  const registry = openRegistry({ dataDirectory: config.dataDirectory, clock, log: room('registry') });
  closers.add(() => registry.close());
  const { declared, hosts, observations } = registry;
  const certificate = await openCertificate({
    directory: layout.certificateDirectory,
    hostName: hostname(),
    nowMs: clock.nowMs(),
  });
  const adminToken = openAdminToken(layout.adminTokenFile);

  const live = new LiveState({ clock, log: room('live') });
  live.seed(hosts.list(), declared.current());
  closers.add(declared.onChange((state) => live.applyDeclared(state)));
  const secrets = createSecretReader({ env: processEnvironment(), clock });
  const router = createRouter({ declared, live, secrets, clock, random, log: room('router') });
  closers.add(() => router.close());

  const { certificateSha256 } = certificate;
  const link = createLinkServer({
    ...{ hosts, observations, live, declared, certificateSha256, clock, randomBytes },
    log: room('link'),
  });
  const feed = createTelemetryFeed({ live, clock, log: room('feed') });
  const gatewayMetrics = new GatewayMetrics();
  const gateway = createGateway({
    ...{ router, secrets, config, clock, metrics: gatewayMetrics },
    log: room('gateway'),
  });
  const admission = createAdmission({
    ...{ declared, clock, random },
    keys: createKeyLookup((presented) => adminToken.verify(presented)),
    hostName: hostname(),
    ownAddresses: createOwnAddresses(clock),
  });
  return {
    ...{
      registry,
      startedAtMs,
      fabricFile: { differs: false },
      certificate,
      adminToken,
      live,
      router,
      link,
      feed,
    },
    ...{ gateway, gatewayMetrics, admission, secrets },
  };
}
