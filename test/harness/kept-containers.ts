import { createHash } from 'node:crypto';
import {
  type ContainerEngine,
  type Containers,
  openContainerEngine,
  openContainers,
  privateFiles,
  ReplicaKeepers,
  type ReplicaMemory,
  type ReplicaRecipe,
  type StorageView,
} from '@ai-fabric/agent';
import { type ReplicaStatus, systemClock, type VllmReplica } from '@ai-fabric/shared';
import { pino } from 'pino';
import { eventually } from '../simulators/common/eventually.js';
import { temporaryDirectory } from './temporary-directory.js';

type StorageParts = Parameters<NonNullable<Parameters<typeof openContainers>[0]['openStorage']>>[0];

export interface KeptHostOptions {
  /** Of the container engine. */
  readonly socketPath: string;
  readonly cards: readonly string[];
  readonly inFlight?: { count: number };
  /** What is known of the engine's disk; by default nothing. */
  readonly openStorage?: (parts: StorageParts) => StorageView;
  /** By default one without rules, and with room for everything. */
  readonly openRecipe?: (memory: ReplicaMemory) => ReplicaRecipe;
}

/** What an agent's replicas are declared as in these tests. */
export function declare(more: Partial<VllmReplica> = {}): VllmReplica {
  return {
    deployment: 'qwen',
    task: 'chat',
    engine: 'vllm',
    servedModel: 'qwen',
    model: 'Qwen/Qwen2.5-7B-Instruct',
    revision: null,
    image: 'docker.io/vllm/vllm-openai:v0.32.0',
    quantization: null,
    contextTokens: 4_096,
    maxConcurrent: 4,
    gpuMemoryRatio: null,
    extraArguments: [],
    environment: {},
    gpu: { select: 'any' },
    readyWithinSeconds: 60,
    drainWithinSeconds: 5,
    reach: 'tunnel',
    port: null,
    parkable: false,
    wish: 'running',
    restartCount: 0,
    adopt: null,
    fallbacks: [],
    ...more,
  };
}

/** The part of an agent that keeps containers, on a container engine that is there. It can be restarted. */
export class KeptHost {
  readonly #options: KeptHostOptions;
  readonly #state = temporaryDirectory();
  #engine: ContainerEngine | null = null;
  #containers: Containers | null = null;
  #keepers: ReplicaKeepers | null = null;
  #changes = 0;

  constructor(options: KeptHostOptions) {
    this.#options = options;
  }

  get stateDirectory(): string {
    return this.#state.path;
  }

  get keepers(): ReplicaKeepers {
    if (this.#keepers === null) throw new Error('the host was not started');
    return this.#keepers;
  }

  /** The same container engine, for what others do on this host. */
  get engine(): ContainerEngine {
    if (this.#engine === null) throw new Error('the host was not started');
    return this.#engine;
  }

  get changes(): number {
    return this.#changes;
  }

  async start(): Promise<void> {
    const clock = systemClock();
    const log = pino({ level: 'silent' });
    const { socketPath, cards, inFlight = { count: 0 }, openStorage } = this.#options;
    this.#engine = openContainerEngine({ endpoints: [socketPath], platform: process.platform, clock, log });
    const onChange = (): void => {
      this.#changes += 1;
    };
    this.#containers = await openContainers({
      engine: this.#engine,
      openRecipe: this.#options.openRecipe ?? ((memory) => plainRecipe(cards, memory)),
      stateDirectory: this.#state.path,
      files: privateFiles({ platform: process.platform, windowsDirectory: '' }),
      hostId: 'host-1',
      inFlight: {
        count: () => inFlight.count,
        whenIdle: () => eventually('no request is open', () => inFlight.count === 0),
      },
      host: {
        cardsAsked: () => Promise.resolve(),
        memoryFreeBytes: () => 64 * 1024 ** 3,
        vramUsedBytes: () => null,
      },
      ...(openStorage === undefined ? {} : { openStorage }),
      ...{ clock, log, random: Math.random },
      onOrphans: onChange,
    });
    this.#keepers = new ReplicaKeepers({
      ...{ clock, log, onChange },
      cadenceMs: 200,
      containers: this.#containers.tools,
    });
  }

  declare(...replicas: readonly VllmReplica[]): void {
    this.keepers.applyDesired({ name: 'apply_desired', revision: 1, replicas: [...replicas] });
  }

  status(deployment = 'qwen'): ReplicaStatus | undefined {
    return this.keepers.statuses().find((status) => status.deployment === deployment);
  }

  codes(): string[] {
    return this.keepers.issues().map(({ code }) => code);
  }

  async reaches(phase: ReplicaStatus['phase'], deployment = 'qwen', withinMs = 15_000): Promise<void> {
    const told = (): string => `${deployment} is ${phase}, not ${JSON.stringify(this.status(deployment))}`;
    await eventually(told(), () => this.status(deployment)?.phase === phase, withinMs).catch(() => {
      throw new Error(told());
    });
  }

  /** As at a restart of the agent: containers are left as they are. */
  async stop(): Promise<void> {
    await this.#keepers?.close();
    await this.#containers?.close();
    this.#keepers = null;
  }

  async close(): Promise<void> {
    await this.stop();
    this.#state.remove();
  }
}

/** Declarations as containers, without the rules of an owner and with room for everything. */
function plainRecipe(cards: readonly string[], memory: ReplicaMemory): ReplicaRecipe {
  const isOffline = ({ model, revision }: VllmReplica): boolean =>
    memory.weights(model, revision)?.complete ?? false;
  const specHash = (
    { image, model, contextTokens, extraArguments, parkable }: VllmReplica,
    rung: number,
  ): string =>
    createHash('sha256')
      .update(JSON.stringify([image, model, contextTokens, extraArguments, parkable, rung]))
      .digest('hex')
      .slice(0, 16);
  return {
    specHash,
    refusal: ({ extraArguments, adopt }) => {
      if (adopt === 'postgres') return { rule: 'adopt', detail: 'not among: vllm-*, ai-fabric-*' };
      return extraArguments.includes('--trust-remote-code')
        ? { rule: 'engine arguments', detail: '--trust-remote-code is not allowed.' }
        : null;
    },
    fit: ({ gpu }) =>
      Promise.resolve({
        fit: { verdict: 'fits', neededBytes: null, freeBytes: null, detail: 'There is room.' },
        cards: gpu.select === 'none' ? [] : cards,
      }),
    build: (desired, rung, { hostId, key, port }) =>
      Promise.resolve({
        name: `ai-fabric-${desired.deployment}`,
        image: desired.image,
        command: [
          ...['--model', desired.model, '--served-model-name', desired.servedModel],
          ...['--max-model-len', String(desired.contextTokens ?? 4_096), ...desired.extraArguments],
          ...(desired.parkable ? ['--enable-sleep-mode'] : []),
        ],
        environment: {
          VLLM_API_KEY: key,
          ...(isOffline(desired) ? { HF_HUB_OFFLINE: '1' } : {}),
          ...(desired.parkable ? { VLLM_SERVER_DEV_MODE: '1' } : {}),
        },
        labels: {
          'io.ai-fabric.deployment': desired.deployment,
          'io.ai-fabric.spec': specHash(desired, rung),
          'io.ai-fabric.host': hostId,
          'io.ai-fabric.container-port': '8000',
          'io.ai-fabric.offline': String(isOffline(desired)),
        },
        gpus: desired.gpu.select === 'none' ? 'none' : { uuids: cards },
        publish: [{ hostAddress: '127.0.0.1', hostPort: port, containerPort: 8_000 }],
        volumes: [{ volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
        shmBytes: 64 * 1024 * 1024,
        memoryLimitBytes: null,
        securityLabelDisable: false,
      }),
  };
}
