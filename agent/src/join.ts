import type { Clock, JoinToken, Random } from '@ai-fabric/shared';
import { BUILD, formatJoinToken, parseJoinToken } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { JoinError } from './agent-errors.js';
import type { AgentConfig } from './config/agent-config.js';
import { parseServerUrl, type ServerAddress } from './config/decide/parse-server-url.js';
import { type AgentIdentity, openIdentity } from './identity/agent-identity.js';
import { type AgentState, readAgentState, writeAgentState } from './identity/agent-state.js';
import { privateFiles, StateFileError } from './identity/private-files.js';
import { AgentLink } from './link/agent-link.js';
import { LinkError } from './link/link-failure.js';
import type { OpenLinkSocket } from './link/link-socket.js';
import { rejoinAdvice } from './own-command.js';
import { readBootIdentity } from './sensors/host/boot-identity.js';
import { askStatus } from './status/status-socket.js';
import { AGENT_VERSION } from './version.js';

export interface JoinRequest {
  /** As typed: `https://motoko:8443`, `motoko`. */
  readonly server: string;
  /** The token's text, white space around it forgiven. */
  readonly token: string;
  /** Joins although this host has joined before. */
  readonly force: boolean;
}

export interface JoinDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly openSocket?: OpenLinkSocket;
}

/**
 * A service is joined by the install that made it: by the key that the system hands to it, and with files that are its
 * account's.
 *
 * @throws JoinError
 */
export function refuseService({
  isService,
  platform,
  stateDirectory,
}: Pick<AgentConfig, 'isService' | 'platform' | 'stateDirectory'>): void {
  if (!isService) return;
  throw new JoinError(
    'installed_service',
    `The agent of ${stateDirectory} is a service that an install made, and only an install joins it. ${rejoinAdvice(true, platform)}`,
  );
}

/**
 * Makes this host one of the fabric: shows the token to the holder of the certificate that it pins, and keeps what
 * that one says. The key that is there stays.
 *
 * @throws JoinError before anything was sent; LinkError when the control plane cannot be reached or refuses;
 *   StateFileError
 */
export async function joinFabric(
  config: AgentConfig,
  request: JoinRequest,
  dependencies: JoinDependencies,
): Promise<AgentState> {
  const { address, token } = readRequest(request);
  // Whatever refuses comes first: the identity makes a key where there is none.
  await refuseIfRunning(config);
  if (!request.force) await refuseIfJoined(config, address);
  const identity = await openIdentity(config);
  const { platform, stateDirectory, simulatedInterfacesPath } = config;
  const { clock, log } = dependencies;
  const bootOf = { platform, stateDirectory, simulatedInterfacesPath, clock, logger: log };
  const { bootId } = await readBootIdentity(bootOf);
  return enrol({ config, dependencies, identity, address, token, bootId });
}

function readRequest({ server, token: text }: JoinRequest): { address: ServerAddress; token: JoinToken } {
  const parsed = parseServerUrl(server);
  if (!parsed.ok) throw new JoinError('bad_server', parsed.detail);
  const token = parseJoinToken(text);
  if (token) return { address: parsed.address, token };
  // Nothing of it is repeated: what was given by mistake may be another secret.
  throw new JoinError(
    'bad_token',
    'That is no join token: one begins with "aifj_" and has three parts. Make one with "ai-fabric token create" on the control plane.',
  );
}

async function refuseIfRunning({ stateDirectory, platform }: AgentConfig): Promise<void> {
  const running = await askStatus(stateDirectory, platform);
  if (running === null) return;
  throw new JoinError(
    'agent_running',
    `An agent runs on ${stateDirectory} (process ${running.pid}) and would go on under what it joined before. Stop it first.`,
  );
}

async function refuseIfJoined(config: AgentConfig, address: ServerAddress): Promise<void> {
  const { platform, folders } = config;
  const files = privateFiles({ platform, windowsDirectory: folders.windows });
  const state = await readAgentState(config, files);
  if (state === null) return;
  const where =
    state.serverUrl === address.url ? 'this control plane' : `another control plane, ${state.serverUrl},`;
  throw new JoinError(
    'already_joined',
    `This host has joined ${where} as ${state.hostName}. Use --force to join ${address.url} instead.`,
  );
}

interface Enrolment {
  readonly config: AgentConfig;
  readonly dependencies: JoinDependencies;
  readonly identity: AgentIdentity;
  readonly address: ServerAddress;
  readonly token: JoinToken;
  readonly bootId: string;
}

async function enrol(enrolment: Enrolment): Promise<AgentState> {
  const { config, dependencies, identity, address, token, bootId } = enrolment;
  const { clock, random, log, openSocket } = dependencies;
  const { key, machineSha256, instanceId, files } = identity;
  const { certificateSha256 } = token;
  let link: AgentLink | undefined;
  try {
    const welcome = await new Promise<{ hostId: string; hostName: string }>((resolve, reject) => {
      link = new AgentLink({
        ...{ clock, random, log },
        ...(openSocket === undefined ? {} : { openSocket }),
        address: { ...address, certificateSha256 },
        identity: {
          publicKey: key.publicKey,
          sign: key.sign,
          ...{ machineSha256, instanceId, bootId, hostName: config.hostName },
          ...{ agentVersion: AGENT_VERSION, build: BUILD },
        },
        joinToken: formatJoinToken(token),
        sentAtMs: () => clock.nowMs(),
        // It comes to join, not to work: what it is asked now is asked again when it runs.
        execute: () => new Promise(() => undefined),
        listener: {
          linked: resolve,
          down: (failure) => reject(new LinkError(failure)),
          acked: () => undefined,
        },
      });
      link.start();
    });
    const { hostId, hostName } = welcome;
    const state: AgentState = { serverUrl: address.url, certificateSha256, hostId, hostName };
    await keep(config, state, files);
    return state;
  } finally {
    await link?.stop('joined', 'The host has joined; its agent comes next.');
  }
}

/** The token is used by now: whoever cannot keep what it brought must know that a new one is needed. */
async function keep(config: AgentConfig, state: AgentState, files: AgentIdentity['files']): Promise<void> {
  try {
    await writeAgentState(config.stateDirectory, state, files);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StateFileError(
      `The control plane took this host, but that could not be kept here: ${why} Mend it and join again; the same token does while it is valid, since the host keeps its key.`,
      { cause: error },
    );
  }
}
