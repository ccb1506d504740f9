import type { AgentPolicy, VllmReplica } from '@ai-fabric/shared';
import type { ContainerSpec } from '../../../containers/container-engine.js';
import { containerName, ENGINE_PORT, labelNames } from '../../container/decide/judge-container.js';
import { containerArguments, type EngineFacts, sleeps } from './container-arguments.js';

/** What a container is made with, beside what is declared. */
export interface ContainerFacts extends EngineFacts {
  readonly hostId: string;
  readonly specHash: string;
  /** UUIDs. */
  readonly cards: readonly string[];
  /** On the host: the address and the port that are open. */
  readonly openAddress: string;
  readonly port: number;
  /** The engine's key. */
  readonly key: string;
  /** Declared variables, read on this host. */
  readonly environment: Readonly<Record<string, string>>;
  /** The weights are whole in the cache: no word to the hub is needed. */
  readonly cacheIsComplete: boolean;
  /** SELinux would keep the container from its card. */
  readonly securityLabels: boolean;
}

/** Caches outlive containers: weights, and kernels that were compiled. */
const CACHE_VOLUMES = [
  { volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' },
  { volume: 'ai-fabric-vllm', path: '/root/.cache/vllm' },
] as const;

/** What vLLM's processes share; memory is taken as it is used. */
const SHM_BYTES = 4 * 1024 ** 3;

/**
 * The container that a declaration becomes. There is no way to ask for privileges, host paths, host networks or
 * capabilities: the spec has no field for them, its volumes are our two caches, and its one port is the engine's.
 */
export function buildContainerSpec(
  desired: VllmReplica,
  facts: ContainerFacts,
  policy: Pick<AgentPolicy, 'pickle' | 'memoryLimitGigabytes'>,
): ContainerSpec {
  const { deployment, image, gpu } = desired;
  const { memoryLimitGigabytes } = policy;
  return {
    name: containerName(deployment),
    image,
    command: containerArguments(desired, facts, policy),
    environment: {
      ...facts.environment,
      // Never on a command line, which every user of the host can read.
      VLLM_API_KEY: facts.key,
      ...(sleeps(desired) ? { VLLM_SERVER_DEV_MODE: '1' } : {}),
      ...(facts.cacheIsComplete ? { HF_HUB_OFFLINE: '1' } : {}),
    },
    labels: {
      [labelNames.deployment]: deployment,
      [labelNames.spec]: facts.specHash,
      [labelNames.host]: facts.hostId,
      [labelNames.containerPort]: String(ENGINE_PORT),
      [labelNames.offline]: String(facts.cacheIsComplete),
    },
    gpus: gpu.select === 'none' ? 'none' : { uuids: [...facts.cards] },
    publish: [
      {
        hostAddress: facts.openAddress,
        hostPort: facts.port,
        containerPort: ENGINE_PORT,
      },
    ],
    volumes: CACHE_VOLUMES.map((each) => ({ ...each })),
    shmBytes: SHM_BYTES,
    memoryLimitBytes: memoryLimitGigabytes === null ? null : Math.round(memoryLimitGigabytes * 1e9),
    securityLabelDisable: facts.securityLabels && gpu.select !== 'none',
  };
}

/**
 * What a container is made from, as a text to hash: the same for the same declaration, whatever the order of its
 * keys; untouched by what is wished of it, how often it was restarted, and how long it may take.
 *
 * @param openAddress of the host: part of it in direct reach, where another one makes the container unreachable
 */
export function specText(desired: VllmReplica, openAddress: string): string {
  const { wish, restartCount, adopt, readyWithinSeconds, drainWithinSeconds, fallbacks, ...made } = desired;
  return canonical(made.reach === 'direct' ? { ...made, openAddress } : made);
}

/**
 * The limits of the host's owner that a container is made with, as a text to hash; empty where they are the usual ones,
 * so that a host without agent.yaml and one with an empty one are alike.
 */
export function limitsText({
  pickle,
  memoryLimitGigabytes,
}: Pick<AgentPolicy, 'pickle' | 'memoryLimitGigabytes'>): string {
  return [
    ...(pickle ? ['pickle'] : []),
    ...(memoryLimitGigabytes === null ? [] : [`memory ${memoryLimitGigabytes}`]),
  ].join(' ');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join(',')}}`;
}
