import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ContainerEngine } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';

export interface HelperContainersOptions {
  readonly engine: Pick<ContainerEngine, 'ensureVolume' | 'list' | 'create' | 'start' | 'logs' | 'remove'>;
  /** Other hosts' agents may use this engine too: what is theirs is left alone. */
  readonly hostId: string;
  readonly log: Logger;
}

export interface Helper {
  /** What it is for: part of its name. */
  readonly kind: string;
  readonly image: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const MODEL_CACHE_VOLUME = 'ai-fabric-huggingface';
const CACHE_PATH = '/root/.cache/huggingface';
const LABELS = { helper: 'io.ai-fabric.helper', host: 'io.ai-fabric.host' } as const;
const MAX_LINES = 10_000;
/** The hub's library reads what it is to do from here too: none of the host's own settings come in. */
const QUIET = { HF_HUB_DISABLE_PROGRESS_BARS: '1', HF_HUB_DISABLE_TELEMETRY: '1' };

/** Of what has to come about though nobody waits for it any more; each call has a deadline of its own. */
const never = new AbortController().signal;

/**
 * One-off containers of the engine's image that have the model cache alone: no card, port or privilege. Each is removed
 * whatever comes, and what an agent that was killed left is removed by the next one.
 */
export class HelperContainers {
  readonly #options: HelperContainersOptions;
  /** Names of those that run now: all others of this host are left over. */
  readonly #running = new Set<string>();
  #swept = false;

  constructor(options: HelperContainersOptions) {
    this.#options = options;
  }

  /**
   * Runs a script. Its container is gone when this ends, also when its caller leaves: a download that nobody waits for
   * ends.
   *
   * @returns the lines that it prints
   * @throws ContainerEngineError; Error where it prints without end
   */
  async *run(helper: Helper, signal: AbortSignal): AsyncIterable<string> {
    const name = `ai-fabric-${helper.kind}-${randomUUID().slice(0, 8)}`;
    this.#running.add(name);
    try {
      const id = await this.#create(name, helper, signal);
      try {
        if (signal.aborted) throw new ContainerEngineError('aborted', 'Nobody waits for it any longer.');
        await this.#options.engine.start(id, signal);
        yield* this.#readLines(id, signal);
      } finally {
        await this.#remove(id);
      }
    } finally {
      this.#running.delete(name);
    }
  }

  /** Removes what an agent before left: to be called whenever the engine answers, and done once. Never rejects. */
  async sweep(): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    try {
      await this.#removeLeft(never);
    } catch (error) {
      this.#swept = false;
      this.#options.log.debug({ error: String(error) }, 'models: what helpers are left is not known');
    }
  }

  /**
   * Once it was asked for, its making is waited for: an engine makes it also for one who left, and would not tell its id.
   */
  async #create(name: string, helper: Helper, signal: AbortSignal): Promise<string> {
    const { engine, hostId } = this.#options;
    const { kind, image, script, args, environment } = helper;
    await this.#removeLeft(signal);
    await engine.ensureVolume(MODEL_CACHE_VOLUME, {}, signal);
    const spec = {
      name,
      image,
      entrypoint: ['python3', '-c', script],
      command: args,
      environment: { ...environment, ...QUIET },
      labels: { [LABELS.helper]: kind, [LABELS.host]: hostId },
      gpus: 'none',
      publish: [],
      volumes: [{ volume: MODEL_CACHE_VOLUME, path: CACHE_PATH }],
      shmBytes: 64 * 1024 * 1024,
      memoryLimitBytes: null,
      securityLabelDisable: false,
    } as const;
    return (await engine.create(spec, never)).id;
  }

  /** One that cannot be removed keeps nothing else from running: it is tried again before the next. */
  async #removeLeft(signal: AbortSignal): Promise<void> {
    const { engine, hostId } = this.#options;
    for (const { id, name, labels } of await engine.list(signal)) {
      const isOurs = labels[LABELS.helper] !== undefined && labels[LABELS.host] === hostId;
      if (isOurs && !this.#running.has(name)) await this.#remove(id);
    }
  }

  async *#readLines(id: string, signal: AbortSignal): AsyncIterable<string> {
    let count = 0;
    for await (const { stream, text } of this.#options.engine.logs(id, { follow: true }, signal)) {
      if (stream !== 'stdout') continue;
      count += 1;
      if (count > MAX_LINES) throw new Error(`more than ${MAX_LINES} lines`);
      yield text;
    }
  }

  async #remove(id: string): Promise<void> {
    const { engine, log } = this.#options;
    try {
      await engine.remove(id, never);
    } catch (error) {
      log.warn({ container: id, error: String(error) }, 'models: a helper could not be removed');
    }
  }
}
