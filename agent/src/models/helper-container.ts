import type { Logger } from 'pino';
import type { ContainerEngine } from '../containers/container-engine.js';

export interface HelperHost {
  readonly engine: Pick<
    ContainerEngine,
    'findImage' | 'ensureVolume' | 'list' | 'create' | 'start' | 'logs' | 'remove'
  >;
  /** Unpredictable: part of a container's name. */
  readonly nextId: () => string;
  readonly log: Logger;
}

export interface Helper {
  /** What it is for: one that an agent which was killed left behind is known by it, and removed. */
  readonly kind: string;
  readonly image: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const MODEL_CACHE_VOLUME = 'ai-fabric-huggingface';
const CACHE_PATH = '/root/.cache/huggingface';
const HELPER_LABEL = 'io.ai-fabric.helper';
const MAX_LINES = 10_000;
/** The hub's library reads what it is to do from here too: none of the host's own settings come in. */
const QUIET = { HF_HUB_DISABLE_PROGRESS_BARS: '1', HF_HUB_DISABLE_TELEMETRY: '1' };

/**
 * Runs a script in a one-off container of the engine's image that has the model cache alone: no card, port or
 * privilege. It is removed whatever comes, also when its caller leaves: a download that nobody waits for ends.
 *
 * @returns the lines that it prints
 * @throws ContainerEngineError; Error where it prints without end
 */
export async function* runHelper(
  host: HelperHost,
  helper: Helper,
  signal: AbortSignal,
): AsyncIterable<string> {
  const id = await begin(host, helper, signal);
  try {
    await host.engine.start(id, signal);
    yield* readLines(host, id, signal);
  } finally {
    await end(host, id);
  }
}

async function begin({ engine, nextId }: HelperHost, helper: Helper, signal: AbortSignal): Promise<string> {
  const { kind, image, script, args, environment } = helper;
  for (const { id, labels } of await engine.list(signal)) {
    if (labels[HELPER_LABEL] === kind) await engine.remove(id, signal);
  }
  await engine.ensureVolume(MODEL_CACHE_VOLUME, {}, signal);
  const spec = {
    name: `ai-fabric-${kind}-${nextId()}`,
    image,
    entrypoint: ['python3', '-c', script],
    command: args,
    environment: { ...environment, ...QUIET },
    labels: { [HELPER_LABEL]: kind },
    gpus: 'none',
    publish: [],
    volumes: [{ volume: MODEL_CACHE_VOLUME, path: CACHE_PATH }],
    shmBytes: 64 * 1024 * 1024,
    memoryLimitBytes: null,
    securityLabelDisable: false,
  } as const;
  return (await engine.create(spec, signal)).id;
}

async function* readLines({ engine }: HelperHost, id: string, signal: AbortSignal): AsyncIterable<string> {
  let count = 0;
  for await (const { stream, text } of engine.logs(id, { follow: true }, signal)) {
    if (stream !== 'stdout') continue;
    count += 1;
    if (count > MAX_LINES) throw new Error(`more than ${MAX_LINES} lines`);
    yield text;
  }
}

async function end({ engine, log }: HelperHost, id: string): Promise<void> {
  try {
    await engine.remove(id, new AbortController().signal);
  } catch (error) {
    log.warn({ container: id, error: String(error) }, 'models: a helper could not be removed');
  }
}
