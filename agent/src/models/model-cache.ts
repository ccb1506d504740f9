import type { Logger } from 'pino';
import type { ContainerEngine } from '../containers/container-engine.js';
import { type CachedModel, type ModelLine, readListing, readModelLine } from './decide/read-model-lines.js';
import { LIST_SCRIPT, PREFETCH_SCRIPT, REMOVE_SCRIPT } from './model-scripts.js';

export interface ModelCacheOptions {
  readonly engine: Pick<
    ContainerEngine,
    'findImage' | 'ensureVolume' | 'list' | 'create' | 'start' | 'logs' | 'remove'
  >;
  /** Images of what is kept here, as far as the host's owner allows them; best first. */
  readonly images: () => readonly string[];
  /** Of a model that is fetched: what its deployment's environment resolves to on this host, `HF_TOKEN` among it. */
  readonly environment: (model: string) => Promise<Readonly<Record<string, string>>>;
  /** Models that a deployment of this host loads: they are not removed under it. */
  readonly inUse: () => ReadonlySet<string>;
  /** Unpredictable: part of a container's name. */
  readonly nextId: () => string;
  readonly log: Logger;
}

/** Why models cannot be listed, fetched or removed now. */
class ModelCacheError extends Error {
  override readonly name = 'ModelCacheError';
  readonly code: 'no_image' | 'in_use' | 'busy' | 'failed';

  constructor(code: ModelCacheError['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}

const MODEL_CACHE_VOLUME = 'ai-fabric-huggingface';
const CACHE_PATH = '/root/.cache/huggingface';
const HELPER_LABEL = 'io.ai-fabric.helper';
const MAX_LINES = 10_000;
/** The hub's library reads what it is to do from here too: none of the host's own settings come in. */
const QUIET = { HF_HUB_DISABLE_PROGRESS_BARS: '1', HF_HUB_DISABLE_TELEMETRY: '1' };

/**
 * The model files of this host, seen and changed by one-off containers of the engine's image: they alone have the cache,
 * without card, port or privilege. One at a time.
 */
export class ModelCache {
  readonly #options: ModelCacheOptions;
  #busy = false;

  constructor(options: ModelCacheOptions) {
    this.#options = options;
  }

  /** @throws ModelCacheError, ContainerEngineError */
  async list(signal: AbortSignal): Promise<CachedModel[]> {
    const lines: string[] = [];
    for await (const line of this.#run(LIST_SCRIPT, [], {}, signal)) lines.push(line);
    return readListing(lines);
  }

  /** Ends with `done` or `failed`. @throws ModelCacheError, ContainerEngineError */
  async *prefetch(model: string, revision: string | null, signal: AbortSignal): AsyncIterable<ModelLine> {
    const environment = await this.#options.environment(model);
    yield* this.#tell(PREFETCH_SCRIPT, [model, revision ?? ''], environment, signal);
  }

  /** @returns the bytes that are free again. @throws ModelCacheError, ContainerEngineError */
  async remove(model: string, signal: AbortSignal): Promise<number> {
    if (this.#options.inUse().has(model)) {
      throw new ModelCacheError(
        'in_use',
        `a deployment of this host loads ${model}: stop or remove it first`,
      );
    }
    for await (const line of this.#tell(REMOVE_SCRIPT, [model], {}, signal)) {
      if (line.kind === 'done') return line.bytes;
      if (line.kind === 'failed') throw new ModelCacheError('failed', line.detail);
    }
    throw new ModelCacheError('failed', `it is not known what came of removing ${model}`);
  }

  async *#tell(
    script: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncIterable<ModelLine> {
    let ended = false;
    for await (const text of this.#run(script, args, environment, signal)) {
      const line = readModelLine(text);
      if (line === null) continue;
      ended = line.kind !== 'progress';
      yield line;
    }
    if (!ended)
      yield { kind: 'failed', code: 'prefetch_failed', detail: 'its container ended without a word' };
  }

  async *#run(
    script: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncIterable<string> {
    if (this.#busy) throw new ModelCacheError('busy', 'another look at the models of this host is under way');
    this.#busy = true;
    try {
      const id = await this.#begin(script, args, environment, signal);
      try {
        yield* this.#read(id, signal);
      } finally {
        await this.#end(id);
      }
    } finally {
      this.#busy = false;
    }
  }

  async #begin(
    script: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<string> {
    const { engine, nextId } = this.#options;
    const image = await this.#findImage(signal);
    await this.#clearUp(signal);
    await engine.ensureVolume(MODEL_CACHE_VOLUME, {}, signal);
    const { id } = await engine.create(
      {
        name: `ai-fabric-models-${nextId()}`,
        image,
        entrypoint: ['python3', '-c', script],
        command: args,
        environment: { ...environment, ...QUIET },
        labels: { [HELPER_LABEL]: 'models' },
        gpus: 'none',
        publish: [],
        volumes: [{ volume: MODEL_CACHE_VOLUME, path: CACHE_PATH }],
        shmBytes: 64 * 1024 * 1024,
        memoryLimitBytes: null,
        securityLabelDisable: false,
      },
      signal,
    );
    await engine.start(id, signal);
    return id;
  }

  /** Pulling gigabytes to look at a list would surprise: an image that is kept here is there, or its replica pulls it. */
  async #findImage(signal: AbortSignal): Promise<string> {
    for (const image of this.#options.images()) {
      if (await this.#options.engine.findImage(image, signal)) return image;
    }
    const detail = 'no image of a deployment of this host is here yet: start one first, which pulls it';
    throw new ModelCacheError('no_image', detail);
  }

  /** What an agent that was killed left behind. */
  async #clearUp(signal: AbortSignal): Promise<void> {
    const { engine } = this.#options;
    for (const { id, labels } of await engine.list(signal)) {
      if (labels[HELPER_LABEL] === 'models') await engine.remove(id, signal);
    }
  }

  async *#read(id: string, signal: AbortSignal): AsyncIterable<string> {
    let count = 0;
    for await (const { stream, text } of this.#options.engine.logs(id, { follow: true }, signal)) {
      if (stream !== 'stdout') continue;
      count += 1;
      if (count > MAX_LINES) throw new ModelCacheError('failed', `more than ${MAX_LINES} lines`);
      yield text;
    }
  }

  /** Also when its caller has gone: a download that nobody waits for ends. */
  async #end(id: string): Promise<void> {
    try {
      await this.#options.engine.remove(id, new AbortController().signal);
    } catch (error) {
      this.#options.log.warn(
        { container: id, error: String(error) },
        'models: a helper could not be removed',
      );
    }
  }
}
