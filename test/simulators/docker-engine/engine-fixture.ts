import {
  type ContainerEngine,
  ContainerEngineError,
  type ContainerSpec,
  openContainerEngine,
} from '@ai-fabric/agent';
import { systemClock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { temporaryDirectory } from '../../harness/temporary-directory.js';
import { enginePath } from './engine-path.js';
import type { DockerEngineOptions } from './options.js';
import { type DockerEngineSimulator, startDockerEngine } from './start-docker-engine.js';
import { vllmProgram } from './vllm-program.js';

export const CARD = { uuid: 'GPU-11111111-2222-3333-4444-555555555555', name: 'NVIDIA GeForce RTX 4070' };
export const OTHER = { uuid: 'GPU-99999999-2222-3333-4444-555555555555', name: 'NVIDIA GeForce RTX 2080' };
export const IMAGE = 'docker.io/vllm/vllm-openai:v0.32.0';
/** Containers with no program in them: nothing has to listen anywhere. */
export const still = { images: [{ reference: IMAGE }], registry: [{ reference: IMAGE }] };
const { signal } = new AbortController();
/** A signal that nobody gives. */
export const forever: AbortSignal = signal;

/** A simulated engine and the agent's client of it, for one test. */
export class EngineFixture {
  readonly #folder = temporaryDirectory();
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly path = enginePath(this.#folder.path);

  get folder(): string {
    return this.#folder.path;
  }

  async simulator(options: Partial<DockerEngineOptions> = {}): Promise<DockerEngineSimulator> {
    const image = { reference: IMAGE, start: vllmProgram() };
    const started = await startDockerEngine({
      path: this.path,
      cards: [CARD, OTHER],
      images: [image],
      registry: [image],
      ...options,
    });
    this.#closing.push(() => started.close());
    return started;
  }

  client(platform: string = process.platform): ContainerEngine {
    const engine = openContainerEngine({
      endpoints: [this.path],
      platform,
      clock: systemClock(),
      log: pino({ level: 'silent' }),
      cdiFolders: [this.folder],
    });
    this.#closing.push(() => engine.close());
    return engine;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
    this.#folder.remove();
  }
}

export function spec(changed: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'ai-fabric-chat',
    image: 'vllm/vllm-openai:v0.32.0',
    command: ['--model', 'Qwen/Qwen2.5-7B', '--served-model-name', 'chat'],
    environment: { VLLM_API_KEY: 'the key' },
    labels: { 'io.ai-fabric.deployment': 'chat' },
    gpus: { uuids: [CARD.uuid] },
    publish: [],
    volumes: [{ volume: 'ai-fabric-huggingface', path: '/root/.cache/huggingface' }],
    shmBytes: 1 << 30,
    memoryLimitBytes: null,
    securityLabelDisable: false,
    ...changed,
  };
}

/** Why a call failed. @throws Error when it did not */
export function failure(promise: Promise<unknown>): Promise<ContainerEngineError> {
  return promise.then(
    () => {
      throw new Error('it came through');
    },
    (error: unknown) => {
      if (error instanceof ContainerEngineError) return error;
      throw error;
    },
  );
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
