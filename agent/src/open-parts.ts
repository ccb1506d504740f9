import { BUILD } from '@ai-fabric/shared';
import type { AgentDependencies } from './agent-dependencies.js';
import type { AgentConfig } from './config/agent-config.js';
import { openContainerEngine } from './containers/open-container-engine.js';
import { executeCommand } from './execute-command.js';
import type { AgentIdentity } from './identity/agent-identity.js';
import type { AgentState } from './identity/agent-state.js';
import { AgentLink, type LinkListener } from './link/agent-link.js';
import type { PinnedAddress } from './link/dial-pinned-tls.js';
import type { LinkFailure } from './link/link-failure.js';
import { modelsEndpoint } from './models/models-endpoint.js';
import { openModelCache } from './models/open-model-cache.js';
import { weightsLook } from './models/weights-look.js';
import { openOwner } from './owner/open-owner.js';
import type { OwnerDesk } from './owner/owner-desk.js';
import { linkedHost } from './power/linked-host.js';
import { type OpenedPower, openPower } from './power/open-power.js';
import { ParkMemory } from './power/park-memory.js';
import { containersEndpoint } from './replica/container/containers-endpoint.js';
import { reportEngine } from './replica/container/decide/report-engine.js';
import { engineStorage } from './replica/container/engine-storage.js';
import { hostView } from './replica/container/host-view.js';
import { type Containers, openContainers } from './replica/container/open-containers.js';
import type { ReplicaMemory } from './replica/container/replica-memory.js';
import type { ReplicaRecipe } from './replica/container/replica-recipe.js';
import { recipeHost } from './replica/recipe/recipe-host.js';
import { ReplicaKeepers } from './replica/replica-keepers.js';
import { AgentTime } from './reporter/agent-time.js';
import { Reporter } from './reporter/reporter.js';
import { readBootIdentity } from './sensors/host/boot-identity.js';
import { openSensors, type Sensors } from './sensors/open-sensors.js';
import type { StatusSocket } from './status/status-socket.js';
import { logsEndpoint } from './tunnel/agent-endpoints.js';
import { AgentTunnel } from './tunnel/agent-tunnel.js';
import { TunnelInFlight } from './tunnel/in-flight.js';
import { notInstalled, type UpgradeDesk } from './upgrade/upgrades.js';
import { AGENT_VERSION } from './version.js';

/** What an agent consists of while it runs. */
export interface AgentParts {
  readonly link: AgentLink;
  readonly tunnel: AgentTunnel;
  readonly owner: OwnerDesk;
  readonly reporter: Reporter;
  readonly replicas: ReplicaKeepers;
  readonly containers: Containers | null;
  readonly sensors: Sensors;
  readonly socket: StatusSocket;
  readonly power: OpenedPower;
  readonly upgrades: UpgradeDesk;
}

export interface OpenPartsOptions {
  readonly config: AgentConfig;
  readonly dependencies: AgentDependencies;
  readonly identity: AgentIdentity;
  readonly state: AgentState;
  readonly address: PinnedAddress;
  readonly socket: StatusSocket;
  /** With the time that the machine slept. */
  readonly elapsedMs: () => number;
  readonly isClosing: () => boolean;
  /** The first and the last to hear that a link is up. */
  readonly beforeLinked: LinkListener['linked'];
  readonly afterLinked: () => void;
  readonly onDown: (failure: LinkFailure) => void;
}

/** Opens all that an agent has, each for what it needs of the others; nothing is begun yet. */
export async function openParts(options: OpenPartsOptions): Promise<AgentParts> {
  const { config, dependencies, identity, state, address, socket } = options;
  const { clock, random, log, openSocket, openKeeper } = dependencies;
  const { stateDirectory, platform, bufferBytes, simulatedInterfacesPath } = config;
  const { gpuCadenceMs, hostCadenceMs, engineCadenceMs } = config;
  // Before the sensors: theirs then finds the name that this one gave to the boot.
  const bootOf = { platform, stateDirectory, simulatedInterfacesPath, clock, logger: log };
  const { bootId } = await readBootIdentity(bootOf);
  const time = new AgentTime(clock, options.elapsedMs);
  const inFlight = new TunnelInFlight();
  const containers = await openHostContainers(
    options,
    () => reporter,
    () => replicas,
    inFlight,
  );
  const replicas = new ReplicaKeepers({
    ...(openKeeper === undefined ? {} : { open: openKeeper }),
    ...{ clock, log, cadenceMs: engineCadenceMs },
    onChange: () => reporter.replicasChanged(),
    ...(containers === null ? {} : { containers: containers.tools }),
  });
  const sensors = dependencies.sensors ?? openOwnSensors(options);
  const owner = await openOwner({
    ...{ replicas, inFlight, sensors, stateDirectory, clock, log },
    ...{ files: identity.files, ownYield: dependencies.ownYield ?? {} },
    memory: containers?.tools.memory ?? null,
    onChange: () => reporter.ownerChanged(),
  });
  const park = await ParkMemory.open({ stateDirectory, files: identity.files, bootId, log });
  const reporter = new Reporter({
    ...{ sensors, replicas, owner, time, clock, log },
    policy: dependencies.policy ?? null,
    lookForEngine: () => void containers?.tools.census.probe().catch(() => undefined),
    send: (report) => link.sendReport(report),
    onSeen: (seen) => upgrades.saw(seen),
    ...{ gpuCadenceMs, hostCadenceMs, engineCadenceMs, bufferBytes },
  });
  const { key, machineSha256, instanceId } = identity;
  const upgrades = await openHostUpgrades(options, () => reporter.upgradeChanged(upgrades.report()));
  reporter.upgradeChanged(upgrades.report());
  const tunnel = openTunnel(options, replicas, containers, inFlight);
  const link = new AgentLink({
    ...{ address, clock, random, log },
    ...(openSocket === undefined ? {} : { openSocket }),
    identity: {
      publicKey: key.publicKey,
      sign: key.sign,
      ...{ machineSha256, instanceId, bootId, hostName: state.hostName },
      ...{ agentVersion: AGENT_VERSION, build: BUILD },
    },
    sentAtMs: () => time.nowMs(),
    execute: (command, linkGone) =>
      executeCommand(command, { replicas, owner, power: power.host, upgrades }, linkGone),
    listener: linkListener(options, { reporter, tunnel, containers, upgrades }),
  });
  const power = openPower({
    ...{ config, replicas, reporter, bootId, park, clock, log },
    allowed: dependencies.policy?.power ?? null,
    link: linkedHost({ link, tunnel, reporter }, options.isClosing),
  });
  return { link, tunnel, owner, reporter, replicas, containers, sensors, socket, power, upgrades };
}

function openHostUpgrades(
  { address, config, dependencies, identity }: OpenPartsOptions,
  onChange: () => void,
): Promise<UpgradeDesk> {
  const { clock, log, openUpgrades } = dependencies;
  const { stateDirectory } = config;
  const { files } = identity;
  return (
    openUpgrades?.({ address, stateDirectory, files, clock, log, onChange }) ?? Promise.resolve(notInstalled)
  );
}

function linkListener(
  { beforeLinked, afterLinked, onDown }: OpenPartsOptions,
  {
    reporter,
    tunnel,
    containers,
    upgrades,
  }: Pick<AgentParts, 'reporter' | 'tunnel' | 'containers' | 'upgrades'>,
): LinkListener {
  return {
    linked: (welcome) => {
      beforeLinked(welcome);
      // Before what is desired comes: it may be declared to be open at this address.
      if (welcome.localAddress !== null) containers?.tools.memory.noteLinkAddress(welcome.localAddress);
      reporter.linked();
      tunnel.linked();
      upgrades.linked();
      afterLinked();
    },
    down: (failure) => {
      onDown(failure);
      reporter.down();
      tunnel.unlinked();
      upgrades.unlinked();
    },
    acked: (seq) => reporter.acked(seq),
  };
}

function openTunnel(
  { address, dependencies, identity }: OpenPartsOptions,
  replicas: ReplicaKeepers,
  containers: Containers | null,
  inFlight: TunnelInFlight,
): AgentTunnel {
  const { clock, random, log, dialTunnel } = dependencies;
  const { key, machineSha256, instanceId } = identity;
  const models =
    containers &&
    modelsEndpoint(openModelCache(containers.tools, containers.helpers, () => replicas.desired()));
  return new AgentTunnel({
    ...{ address, inFlight, clock, random, log },
    ...(dialTunnel === undefined ? {} : { dial: dialTunnel }),
    identity: { publicKey: key.publicKey, sign: key.sign, machineSha256, instanceId },
    findEngine: (deployment) => replicas.engineAddress(deployment),
    endpoints: new Map([
      ['logs', logsEndpoint((deployment, question, gone) => replicas.logs(deployment, question, gone))],
      ...(models === null ? [] : [['models', models] as const]),
      ...(containers === null ? [] : [['containers', containersEndpoint(containers.tools.engine)] as const]),
      ...(dependencies.endpoints ?? []),
    ]),
  });
}

/** `null` where the host is to keep no containers. */
async function openHostContainers(
  { config, dependencies, identity, state }: OpenPartsOptions,
  reporter: () => Reporter,
  replicas: () => ReplicaKeepers,
  inFlight: TunnelInFlight,
): Promise<Containers | null> {
  const { clock, random, log, containerEngine, openRecipe } = dependencies;
  const { containerEnginePath, runtimeDirectory, platform, stateDirectory } = config;
  if (openRecipe === undefined) return null;
  const endpoints = containerEnginePath === null ? {} : { endpoints: [containerEnginePath] };
  const engine =
    containerEngine ?? openContainerEngine({ ...endpoints, runtimeDirectory, platform, clock, log });
  const openFor = (memory: ReplicaMemory): ReplicaRecipe =>
    openRecipe(
      memory,
      recipeHost({
        ...{ memory, platform },
        cards: () => reporter().status().cards,
        readings: () => reporter().readings().gpus,
        desired: () => replicas().desired(),
        statuses: () => replicas().statuses(),
      }),
    );
  const host = hostView(reporter);
  return openContainers({
    ...{ engine, openRecipe: openFor, stateDirectory, clock, random, log },
    files: identity.files,
    hostId: state.hostId,
    inFlight,
    host,
    openStorage: (parts) =>
      engineStorage({
        ...{ census: parts.census, platform },
        systemDriveFreeBytes: host.systemDriveFreeBytes,
        weights: weightsLook({ ...parts, clock, log }),
      }),
    onOrphans: () => reporter().replicasChanged(),
    onProbed: (probe) => reporter().containerEngineSeen(reportEngine(probe)),
  });
}

function openOwnSensors({ config, dependencies }: OpenPartsOptions): Sensors {
  const { clock, random, log, inventoryChild } = dependencies;
  const child = inventoryChild === undefined ? {} : { inventoryChild };
  return openSensors(config, { clock, random, logger: log, ...child });
}
