import { type GoodbyeReason, type NetworkInterface, withoutDirectKey } from '@ai-fabric/shared';
import type { AgentDependencies } from './agent-dependencies.js';
import { NotJoinedError } from './agent-errors.js';
import type { AgentConfig } from './config/agent-config.js';
import { parseServerUrl } from './config/decide/parse-server-url.js';
import { type AgentIdentity, openIdentity } from './identity/agent-identity.js';
import {
  type AgentState,
  agentStatePath,
  DamagedStateError,
  readAgentState,
  writeAgentState,
} from './identity/agent-state.js';
import { Leaving } from './leaving.js';
import type { LinkWelcome } from './link/agent-link.js';
import type { PinnedAddress } from './link/dial-pinned-tls.js';
import type { LinkFailure } from './link/link-failure.js';
import { type AgentParts, openParts } from './open-parts.js';
import { JOIN_LINE, ownProgram } from './own-command.js';
import { watchResume } from './power/resume-watch.js';
import type { ReplicaKeepers } from './replica/replica-keepers.js';
import type { AgentStatus } from './status/agent-status.js';
import { openStatusSocket, type StatusSocket, type StatusVerb } from './status/status-socket.js';
import { AGENT_VERSION } from './version.js';

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
  const state = await readAgentState(config, identity.files);
  if (state === null) {
    throw new NotJoinedError(
      `This host has not joined a control plane (${agentStatePath(config.stateDirectory)} is not there). ` +
        (config.isService
          ? `Run ${JOIN_LINE}.`
          : 'Make a token there with "ai-fabric token create", then run here: ' +
            `${ownProgram(config.platform)} join --server https://HOST:8443 --token-file FILE`),
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

class RunningAgent implements Agent {
  readonly #config: AgentConfig;
  readonly #deps: AgentDependencies;
  readonly #identity: AgentIdentity;
  readonly #elapsedMs: () => number;
  /** Elapsed time, as all that is kept: the wall clock may be set while it runs. */
  readonly #startedMs: number;
  #state: AgentState;
  #problem: LinkFailure | null = null;
  #linked: { readonly atMs: number; readonly serverTimeMs: number } | null = null;
  #parts: AgentParts | null = null;
  #leaving: Leaving | null = null;
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
    const { clock, elapsedMs = () => clock.monotonicMs() } = dependencies;
    this.#elapsedMs = elapsedMs;
    this.#startedMs = elapsedMs();
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
    const { link, owner, replicas, reporter, power } = this.#parts;
    this.#leaving = new Leaving({ replicas, log: this.#deps.log });
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
    const nowMs = this.#deps.clock.nowMs();
    const elapsedMs = this.#elapsedMs();
    const wallMs = (thenMs: number): number => Math.round(nowMs - (elapsedMs - thenMs));
    return {
      pid: process.pid,
      version: AGENT_VERSION,
      startedAtMs: wallMs(this.#startedMs),
      server: this.#config.serverUrl ?? this.#state.serverUrl,
      hostName: this.#state.hostName,
      hostId: this.#state.hostId,
      link: {
        state: this.#parts?.link.state.name ?? 'connecting',
        linkedSinceMs: this.#linked && wallMs(this.#linked.atMs),
        clockAheadMs: this.#linked && wallMs(this.#linked.atMs) - this.#linked.serverTimeMs,
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
      leaving: this.#leaving?.state ?? null,
      upgrade: this.#parts?.upgrades.report() ?? null,
      engines: this.#parts?.replicas.engines() ?? [],
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
    if (verb === 'leave') this.#leaving?.begin();
    else if (verb === 'stay') this.#leaving?.giveUp();
    else if (verb === 'upgrade') this.#parts?.upgrades.confirm();
    else if (verb !== 'status') await this.#parts?.owner.ask('owner', verb === 'yield');
    return this.status();
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

  #open(address: PinnedAddress, socket: StatusSocket): Promise<AgentParts> {
    return openParts({
      ...{ config: this.#config, dependencies: this.#deps, identity: this.#identity, state: this.#state },
      ...{ address, socket, elapsedMs: this.#watchedTime() },
      isClosing: () => this.#closing !== null,
      beforeLinked: (welcome) => this.#onLinked(welcome),
      afterLinked: () => this.#deps.onLinked?.(this.status()),
      onDown: (failure) => this.#onDown(failure),
    });
  }

  #onLinked({ hostId, hostName, serverTimeMs }: LinkWelcome): void {
    const { log } = this.#deps;
    this.#linked = { atMs: this.#elapsedMs(), serverTimeMs };
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
    const { platform, gpuCadenceMs } = this.#config;
    return watchResume({
      ...{ clock: this.#deps.clock, elapsedMs: this.#elapsedMs },
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
    this.#linked = null;
    this.#problem = failure;
  }
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
  throw new DamagedStateError(agentStatePath(config.stateDirectory), `serverUrl: ${parsed.detail}`, config);
}
