import type { ContainerEngine } from '../containers/container-engine.js';
import type { HelperContainers } from '../containers/helper-containers.js';
import { type CachedModel, type ModelLine, readListing, readModelLine } from './decide/read-model-lines.js';
import { LIST_SCRIPT, PREFETCH_SCRIPT, REMOVE_SCRIPT } from './model-scripts.js';

export interface ModelCacheOptions {
  readonly engine: Pick<ContainerEngine, 'findImage'>;
  readonly helpers: Pick<HelperContainers, 'run'>;
  /** Images of what is kept here, as far as the host's owner allows them; best first. */
  readonly images: () => readonly string[];
  /** Of a model that is fetched: what its deployment's environment resolves to on this host, `HF_TOKEN` among it. */
  readonly environment: (model: string) => Promise<Readonly<Record<string, string>>>;
  /** Models that a deployment of this host loads: they are not removed under it. */
  readonly inUse: () => ReadonlySet<string>;
  /** The files of a model are others than before: what was known of them holds no longer. */
  readonly onChange: (model: string) => void;
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
    try {
      yield* this.#tell(PREFETCH_SCRIPT, [model, revision ?? ''], environment, signal);
    } finally {
      this.#options.onChange(model);
    }
  }

  /** @returns the bytes that are free again. @throws ModelCacheError, ContainerEngineError */
  async remove(model: string, signal: AbortSignal): Promise<number> {
    if (this.#options.inUse().has(model)) {
      throw new ModelCacheError(
        'in_use',
        `a deployment of this host loads ${model}: stop or remove it first`,
      );
    }
    try {
      for await (const line of this.#tell(REMOVE_SCRIPT, [model], {}, signal)) {
        if (line.kind === 'done') return line.bytes;
        if (line.kind === 'failed') throw new ModelCacheError('failed', line.detail);
      }
    } finally {
      this.#options.onChange(model);
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
      const image = await this.#findImage(signal);
      yield* this.#options.helpers.run({ kind: 'models', image, script, args, environment }, signal);
    } finally {
      this.#busy = false;
    }
  }

  /** Pulling gigabytes to look at a list would surprise: an image that is kept here is there, or its replica pulls it. */
  async #findImage(signal: AbortSignal): Promise<string> {
    for (const image of this.#options.images()) {
      if (await this.#options.engine.findImage(image, signal)) return image;
    }
    const detail = 'no image of a deployment of this host is here yet: start one first, which pulls it';
    throw new ModelCacheError('no_image', detail);
  }
}
