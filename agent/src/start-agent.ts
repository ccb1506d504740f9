import {
  BUILD,
  type Clock,
  type GoodbyeReason,
  type HostPolicy,
  type NetworkInterface,
  type OwnYield,
  type Random,
  withoutDirectKey,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { NotJoinedError } from './agent-errors.js';
import type { AgentConfig } from './config/agent-config.js';
import { parseServerUrl } from './config/decide/parse-server-url.js';
import type { ContainerEngine } from './containers/container-engine.js';
import { openContainerEngine } from './containers/open-container-engine.js';
import { executeCommand } from './execute-command.js';
import { type AgentIdentity, openIdentity } from './identity/agent-identity.js';
import { type AgentState, agentStatePath, readAgentState, writeAgentState } from './identity/agent-state.js';
import { StateFileError } from './identity/private-files.js';
import { AgentLink, type LinkListener } from './link/agent-link.js';
import type { PinnedAddress } from './link/dial-pinned-tls.js';
import type { LinkFailure } from './link/link-failure.js';
import type { OpenLinkSocket } from './link/link-socket.js';
import { modelsEndpoint } from './models/models-endpoint.js';
import { openModelCache } from './models/open-model-cache.js';
import { weightsLook } from './models/weights-look.js';
import { openOwner } from './owner/open-owner.js';
import type { OwnerDesk } from './owner/owner-desk.js';
import { linkedHost } from './power/linked-host.js';
import { type OpenedPower, openPower } from './power/open-power.js';
import { ParkMemory } from './power/park-memory.js';
import { watchResume } from './power/resume-watch.js';
import { containersEndpoint } from './replica/container/containers-endpoint.js';
import { reportEngine } from './replica/container/decide/report-engine.js';
import { engineStorage } from './replica/container/engine-storage.js';
import { hostView } from './replica/container/host-view.js';
import { type Containers, openContainers } from './replica/container/open-containers.js';
import type { ReplicaMemory } from './replica/container/replica-memory.js';
import type { ReplicaRecipe } from './replica/container/replica-recipe.js';
import type { RecipeHost } from './replica/recipe/open-recipe.js';
import { recipeHost } from './replica/recipe/recipe-host.js';
import type { KeeperOptions, ReplicaKeeper } from './replica/replica-keeper.js';
import { ReplicaKeepers } from './replica/replica-keepers.js';
import { AgentTime } from './reporter/agent-time.js';
import { Reporter } from './reporter/reporter.js';
import { readBootIdentity } from './sensors/host/boot-identity.js';
import { openSensors, type SensorDependencies, type Sensors } from './sensors/open-sensors.js';
import type { AgentStatus } from './status/agent-status.js';
import { openStatusSocket, type StatusSocket, type StatusVerb } from './status/status-socket.js';
import { type AgentEndpoints, logsEndpoint } from './tunnel/agent-endpoints.js';
import { AgentTunnel } from './tunnel/agent-tunnel.js';
import type { DialTunnel } from './tunnel/dial-tunnel.js';
import { TunnelInFlight } from './tunnel/in-flight.js';
import type { UpgradeParts } from './upgrade/open-upgrades.js';
import { notInstalled, type UpgradeDesk } from './upgrade/upgrades.js';
import { AGENT_VERSION } from './version.js';

export interface AgentDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** This machine's own by default. */
  readonly sensors?: Sensors;
  /** Elapsed milliseconds with the time that the machine slept, where the system can tell; by default without. */
  readonly elapsedMs?: () => number;
  /** How the child that reads the cards' inventory is started; by default Node with the built file. */
  readonly inventoryChild?: SensorDependencies['inventoryChild'];
  readonly openSocket?: OpenLinkSocket;
  readonly dialTunnel?: DialTunnel;
  /** Who keeps a replica, by default a keeper for its kind of engine. */
  readonly openKeeper?: (options: KeeperOptions) => ReplicaKeeper;
  /** What the agent itself answers in the tunnel, beside what is its own. */
  readonly endpoints?: AgentEndpoints;
  /** This machine's own by default. */
  readonly containerEngine?: ContainerEngine;
  /** How declarations become containers. */
  readonly openRecipe?: (memory: ReplicaMemory, host: Omit<RecipeHost, 'variables'>) => ReplicaRecipe;
  /** What this host's owner allows: told, so that what will be refused is known beforehand. By default nothing is told. */
  readonly policy?: HostPolicy;
  /** What becomes of a newer agent that is offered; by default such offers are refused. */
  readonly openUpgrades?: (parts: UpgradeParts) => Promise<UpgradeDesk>;
  /** How its owner has it yield, whatever is declared. By default as declared. */
  readonly ownYield?: OwnYield;
  /** Called each time that a link is up. */
  readonly onLinked?: (status: AgentStatus) => void;
}

export interface Agent {
  status(): AgentStatus;
  /** Says goodbye, ends everything that it started, and resolves within two seconds or so. */
  close(reason?: GoodbyeReason): Promise<void>;
  /** Another version is about to take the place of this one, which ends for that alone. */
  isBeingReplaced(): Promise<boolean>;
  /** What the agent keeps on this host. */
  readonly replicas: Pick<ReplicaKeepers, 'engineAddress' | 'logs'>;
}

/**
 * Boots an agent from its state directory. It keeps trying to link until it is closed; nothing of it is global.
 *
 * @throws NotJoinedError, StateFileError, StateInUseError
 */
export async function startAgent(config: AgentConfig, dependencies: AgentDependencies): Promise<Agent> {
  const identity = await openIdentity(config);
  const state = await readAgentState(config.stateDirectory, identity.files);
  if (state === null) {
    throw new NotJoinedError(
      `This host has not joined a control plane (${agentStatePath(config.stateDirectory)} is not there). ` +
        'Make a token there with "ai-fabric token create", then run ' +
        '"ai-fabric-agent join --server https://HOST:8443 --token-file FILE" here.',
    );
  }
  const address = pinnedAddress(config, state);
  const agent = new RunningAgent(config, dependencies, identity, state);
  await agent.start(address);
  return agent;
}

/** Where the clock of timers runs on through a sleep: a process that was silent for so many samples slept. */
const SILENCE_CADENCES = 6;
/** No less: a game that starts leaves others little of the processor, and a shorter sleep breaks no link. */
const SILENCE_MS = 30_000;
/** What requests that run have before an uninstall; the most that a person waits for in front of it. */
const LEAVE_DRAIN_SECONDS = 60;

class RunningAgent implements Agent {
  readonly #config: AgentConfig;
  readonly #deps: AgentDependencies;
  readonly #identity: AgentIdentity;
  readonly #startedAtMs: number;
  #state: AgentState;
  #problem: LinkFailure | null = null;
  #linkedSinceMs: number | null = null;
  #leaving: AgentStatus['leaving'] = null;
  #parts: Parts | null = null;
  #closing: Promise<void> | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(
    config: AgentConfig,
    dependencies: AgentDependencies,
    identity: AgentIdentity,
    state: AgentState,
  ) {
    this.#config = config;
    this.#deps = dependencies;
    this.#identity = identity;
    this.#state = state;
    this.#startedAtMs = dependencies.clock.nowMs();
  }

  async start(address: PinnedAddress): Promise<void> {
    const { stateDirectory, platform } = this.#config;
    // First of all: from here on this agent is the only one on its state directory.
    const socket = await openStatusSocket(stateDirectory, platform, (verb) => this.#answer(verb));
    try {
      this.#parts = await this.#open(address, socket);
    } catch (error) {
      await socket.close();
      throw error;
    }
    const { link, owner, reporter, power } = this.#parts;
    this.#deps.log.info(
      { host: this.#state.hostName, server: address.url, version: AGENT_VERSION },
      'agent: started',
    );
    // Before anything is desired: what the owner took stays theirs.
    owner.start();
    link.start();
    reporter.start();
    power.start();
  }

  get replicas(): Pick<ReplicaKeepers, 'engineAddress' | 'logs'> {
    return {
      engineAddress: (deployment) => this.#parts?.replicas.engineAddress(deployment) ?? null,
      logs: (deployment, options, signal) => this.#parts?.replicas.logs(deployment, options, signal) ?? null,
    };
  }

  status(): AgentStatus {
    const reported = this.#parts?.reporter.status();
    return {
      pid: process.pid,
      version: AGENT_VERSION,
      startedAtMs: this.#startedAtMs,
      server: this.#config.serverUrl ?? this.#state.serverUrl,
      hostName: this.#state.hostName,
      hostId: this.#state.hostId,
      link: {
        state: this.#parts?.link.state.name ?? 'connecting',
        linkedSinceMs: this.#linkedSinceMs,
        problem: this.#problem?.detail ?? null,
        problemCode: this.#problem === null ? null : codeOf(this.#problem),
      },
      cards: (reported?.cards ?? []).map(({ uuid, name }) => ({ uuid, name })),
      issues: [...(reported?.issues ?? [])],
      replicas: this.#parts?.replicas.statuses().map(withoutDirectKey) ?? [],
      owner: this.#parts?.owner.report() ?? null,
      containerEngine: reported?.containerEngine ?? null,
      wake: reported?.interfaces?.flatMap(wakeOf) ?? null,
      cardsAsked: reported?.areCardsRead ?? false,
      leaving: this.#leaving,
      upgrade: this.#parts?.upgrades.report() ?? null,
      waitingSamples: reported?.waitingSamples ?? 0,
      droppedSamples: reported?.droppedSamples ?? 0,
    };
  }

  isBeingReplaced(): Promise<boolean> {
    return this.#parts?.upgrades.isBeingReplaced() ?? Promise.resolve(false);
  }

  close(reason: GoodbyeReason = 'service_stop'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #answer(verb: StatusVerb): Promise<AgentStatus> {
    if (verb === 'leave') this.#leave();
    else if (verb === 'upgrade') this.#parts?.upgrades.confirm();
    else if (verb !== 'status') await this.#parts?.owner.ask('owner', verb === 'yield');
    return this.status();
  }

  /** Requests that run are finished, then the engines are stopped; a new start of the agent forgets it. */
  #leave(): void {
    if (this.#leaving !== null || this.#parts === null) return;
    this.#leaving = 'draining';
    this.#deps.log.info('agent: it is to be uninstalled: its replicas end');
    this.#parts.replicas.holdDown('leaving', { action: 'stop', drainSeconds: LEAVE_DRAIN_SECONDS }).then(
      () => {
        this.#leaving = 'free';
      },
      (error: unknown) => {
        this.#leaving = 'stuck';
        this.#deps.log.warn({ error: String(error) }, 'agent: a replica does not end');
      },
    );
  }

  async #close(reason: GoodbyeReason): Promise<void> {
    if (!this.#parts) return;
    const { link, tunnel, owner, reporter, replicas, containers, sensors, socket, power } = this.#parts;
    const { upgrades } = this.#parts;
    this.#deps.log.info({ reason }, 'agent: stopping');
    tunnel.close();
    power.close();
    await Promise.all([
      link.stop(reason, 'The agent is stopping.'),
      reporter.close(),
      owner.close(),
      replicas.close().then(() => containers?.close()),
      sensors.close(),
      upgrades.close(),
      this.#saving,
    ]);
    await socket.close();
  }

  async #open(address: PinnedAddress, socket: StatusSocket): Promise<Parts> {
    const { clock, random, log, openSocket, openKeeper } = this.#deps;
    const { stateDirectory, platform, bufferBytes, simulatedInterfacesPath } = this.#config;
    const { gpuCadenceMs, hostCadenceMs, engineCadenceMs } = this.#config;
    // Before the sensors: theirs then finds the name that this one gave to the boot.
    const bootOf = { platform, stateDirectory, simulatedInterfacesPath, clock, logger: log };
    const { bootId } = await readBootIdentity(bootOf);
    const time = new AgentTime(clock, this.#watchedTime());
    const inFlight = new TunnelInFlight();
    const containers = await this.#openContainers(
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
    const sensors = this.#deps.sensors ?? this.#openSensors();
    const owner = await openOwner({
      ...{ replicas, inFlight, sensors, stateDirectory, clock, log },
      ...{ files: this.#identity.files, ownYield: this.#deps.ownYield ?? {} },
      memory: containers?.tools.memory ?? null,
      onChange: () => reporter.ownerChanged(),
    });
    const park = await ParkMemory.open({ stateDirectory, files: this.#identity.files, bootId, log });
    const reporter = new Reporter({
      ...{ sensors, replicas, owner, time, clock, log },
      policy: this.#deps.policy ?? null,
      lookForEngine: () => void containers?.tools.census.probe().catch(() => undefined),
      send: (report) => link.sendReport(report),
      ...{ gpuCadenceMs, hostCadenceMs, engineCadenceMs, bufferBytes },
    });
    const { key, machineSha256, instanceId } = this.#identity;
    const upgrades = await this.#openUpgrades(address, () => reporter.upgradeChanged(upgrades.report()));
    reporter.upgradeChanged(upgrades.report());
    const tunnel = this.#openTunnel(address, replicas, containers, inFlight);
    const link = new AgentLink({
      ...{ address, clock, random, log },
      ...(openSocket === undefined ? {} : { openSocket }),
      identity: {
        publicKey: key.publicKey,
        sign: key.sign,
        ...{ machineSha256, instanceId, bootId, hostName: this.#state.hostName },
        ...{ agentVersion: AGENT_VERSION, build: BUILD },
      },
      sentAtMs: () => time.nowMs(),
      execute: (command, linkGone) =>
        executeCommand(command, { replicas, owner, power: power.host, upgrades }, linkGone),
      listener: this.#linkListener(reporter, tunnel, containers, upgrades),
    });
    const power = openPower({
      ...{ config: this.#config, replicas, reporter, bootId, park, clock, log },
      allowed: this.#deps.policy?.power ?? null,
      link: linkedHost({ link, tunnel, reporter }, () => this.#closing !== null),
    });
    return { link, tunnel, owner, reporter, replicas, containers, sensors, socket, power, upgrades };
  }

  #openUpgrades(address: PinnedAddress, onChange: () => void): Promise<UpgradeDesk> {
    const { clock, log, openUpgrades } = this.#deps;
    const { stateDirectory } = this.#config;
    const { files } = this.#identity;
    return (
      openUpgrades?.({ address, stateDirectory, files, clock, log, onChange }) ??
      Promise.resolve(notInstalled)
    );
  }

  #linkListener(
    reporter: Reporter,
    tunnel: AgentTunnel,
    containers: Containers | null,
    upgrades: UpgradeDesk,
  ): LinkListener {
    return {
      linked: (welcome) => {
        this.#onLinked(welcome);
        // Before what is desired comes: it may be declared to be open at this address.
        if (welcome.localAddress !== null) containers?.tools.memory.noteLinkAddress(welcome.localAddress);
        reporter.linked();
        tunnel.linked();
        upgrades.linked();
        this.#deps.onLinked?.(this.status());
      },
      down: (failure) => {
        this.#onDown(failure);
        reporter.down();
        tunnel.unlinked();
        upgrades.unlinked();
      },
      acked: (seq) => reporter.acked(seq),
    };
  }

  #openTunnel(
    address: PinnedAddress,
    replicas: ReplicaKeepers,
    containers: Containers | null,
    inFlight: TunnelInFlight,
  ): AgentTunnel {
    const { clock, random, log, dialTunnel } = this.#deps;
    const { key, machineSha256, instanceId } = this.#identity;
    const models = containers && modelsEndpoint(openModelCache(containers.tools, () => replicas.desired()));
    return new AgentTunnel({
      ...{ address, inFlight, clock, random, log },
      ...(dialTunnel === undefined ? {} : { dial: dialTunnel }),
      identity: { publicKey: key.publicKey, sign: key.sign, machineSha256, instanceId },
      findEngine: (deployment) => replicas.engineAddress(deployment),
      endpoints: new Map([
        ['logs', logsEndpoint((deployment, question, gone) => replicas.logs(deployment, question, gone))],
        ...(models === null ? [] : [['models', models] as const]),
        ...(containers === null
          ? []
          : [['containers', containersEndpoint(containers.tools.engine)] as const]),
        ...(this.#deps.endpoints ?? []),
      ]),
    });
  }

  /** `null` where the host is to keep no containers. */
  async #openContainers(
    reporter: () => Reporter,
    replicas: () => ReplicaKeepers,
    inFlight: TunnelInFlight,
  ): Promise<Containers | null> {
    const { clock, random, log, containerEngine, openRecipe } = this.#deps;
    const { containerEnginePath, runtimeDirectory, platform, stateDirectory } = this.#config;
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
      files: this.#identity.files,
      hostId: this.#state.hostId,
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

  #openSensors(): Sensors {
    const { clock, random, log, inventoryChild } = this.#deps;
    const child = inventoryChild === undefined ? {} : { inventoryChild };
    return openSensors(this.#config, { clock, random, logger: log, ...child });
  }

  #onLinked({ hostId, hostName }: { readonly hostId: string; readonly hostName: string }): void {
    const { clock, log } = this.#deps;
    this.#linkedSinceMs = clock.nowMs();
    this.#problem = null;
    if (hostId === this.#state.hostId && hostName === this.#state.hostName) return;
    log.info(
      { hostName, before: this.#state.hostName },
      'agent: the control plane has another name for this host',
    );
    this.#state = { ...this.#state, hostId, hostName };
    this.#saving = writeAgentState(this.#config.stateDirectory, this.#state, this.#identity.files).catch(
      (error: unknown) => {
        log.warn({ error: String(error) }, 'agent: its new name could not be kept');
      },
    );
  }

  /** Elapsed milliseconds; whoever asks for them may find that the machine slept. */
  #watchedTime(): () => number {
    const { clock, elapsedMs = () => clock.monotonicMs() } = this.#deps;
    const { platform, gpuCadenceMs } = this.#config;
    return watchResume({
      ...{ clock, elapsedMs },
      silenceMs: platform === 'win32' ? Math.max(SILENCE_MS, SILENCE_CADENCES * gpuCadenceMs) : null,
      onNoticed: () => this.#parts?.power.host.noticed(),
      onResume: (sleptMs) => this.#onResume(sleptMs),
    });
  }

  #onResume(sleptMs: number): void {
    if (this.#closing !== null) return;
    this.#deps.log.info({ sleptSeconds: Math.round(sleptMs / 1_000) }, 'agent: the machine slept');
    this.#parts?.power.host.resumed();
  }

  #onDown(failure: LinkFailure): void {
    this.#linkedSinceMs = null;
    this.#problem = failure;
  }
}

interface Parts {
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

/** The goodbye's reason is what tells one refusal from another. */
function codeOf(failure: LinkFailure): string {
  return failure.code === 'goodbye' ? failure.reason : failure.code;
}

function wakeOf({ name, kind, wake }: NetworkInterface): NonNullable<AgentStatus['wake']> {
  return wake === undefined ? [] : [{ name, wired: kind !== 'wireless', arming: wake }];
}

function pinnedAddress(config: AgentConfig, state: AgentState): PinnedAddress {
  const parsed = parseServerUrl(config.serverUrl ?? state.serverUrl);
  if (parsed.ok) return { ...parsed.address, certificateSha256: state.certificateSha256 };
  throw new StateFileError(
    `${agentStatePath(config.stateDirectory)} is damaged: serverUrl: ${parsed.detail} Fix: run "ai-fabric-agent join --force".`,
  );
}
