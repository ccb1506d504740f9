import type { ImageInfo, PullOptions, RegistryAuth } from './container-engine.js';
import { ContainerEngineError } from './container-engine-error.js';
import { mapEngineError } from './decide/map-engine-error.js';
import { mergePullProgress, noPull, sumPullProgress } from './decide/merge-pull-progress.js';
import { parseJson } from './decide/parse-json.js';
import { qualifyImage } from './decide/qualify-image.js';
import { readImage } from './decide/read-image.js';
import { type EngineCall, type EngineCalls, LOOK_DEADLINE_MS } from './engine-calls.js';
import { readJsonLines } from './read-json-lines.js';

/** The registry is asked before the engine answers. */
const PULL_HEAD_DEADLINE_MS = 120_000;
/** Podman says nothing while it unpacks a layer, and vLLM's have gigabytes. */
const PULL_IDLE_MS = 15 * 60_000;

/** What is asked about images, and pulling them. */
export class ImageCalls {
  readonly #calls: EngineCalls;

  constructor(calls: EngineCalls) {
    this.#calls = calls;
  }

  async find(reference: string, signal: AbortSignal): Promise<ImageInfo | null> {
    // Slashes stay: the engines read the rest of the path as the name.
    const path = `/images/${encodeReference(reference)}/json`;
    const call: EngineCall = {
      doing: 'image',
      method: 'GET',
      path,
      fine: [404],
      deadlineMs: LOOK_DEADLINE_MS,
    };
    const answer = await this.#calls.ask(call, signal);
    if (answer.status === 404) return null;
    const image = readImage(parseJson(answer.text));
    if (image === null)
      throw new ContainerEngineError('engine_failed', `What it says of ${reference} makes no sense.`);
    return image;
  }

  async pull(reference: string, { auth, onProgress }: PullOptions, signal: AbortSignal): Promise<ImageInfo> {
    const call: EngineCall = {
      doing: 'pull',
      method: 'POST',
      path: `/images/create?fromImage=${encodeURIComponent(qualifyImage(reference))}`,
      ...(auth === undefined ? {} : { headers: { 'x-registry-auth': encodeAuth(auth) } }),
      deadlineMs: PULL_HEAD_DEADLINE_MS,
    };
    const stream = await this.#calls.open(call, signal, { idleMs: PULL_IDLE_MS });
    let state = noPull;
    let said = '';
    for await (const message of readJsonLines(stream.chunks)) {
      state = mergePullProgress(state, message);
      const progress = sumPullProgress(state);
      if (progress.text === said) continue;
      said = progress.text;
      onProgress(progress);
    }
    if (state.error !== null) throw failure(state.error, stream.status, auth !== undefined);
    const image = await this.find(reference, signal);
    if (image) return image;
    // Podman ends the stream without a word when it is cut off itself.
    throw new ContainerEngineError(
      'pull_failed',
      `The pull of ${reference} ended, and the image is not there.`,
      stream.status,
    );
  }
}

function failure(message: string, status: number, authenticated: boolean): ContainerEngineError {
  const { code, detail } = mapEngineError({ doing: 'pull', status, message, authenticated });
  return new ContainerEngineError(code, detail, status);
}

function encodeReference(reference: string): string {
  return qualifyImage(reference)
    .split('/')
    .map(encodeURIComponent)
    .join('/')
    .replaceAll('%40', '@')
    .replaceAll('%3A', ':');
}

function encodeAuth({ username, password }: RegistryAuth): string {
  const text = Buffer.from(JSON.stringify({ username, password })).toString('base64url');
  // Both engines insist on the padding that Node leaves out.
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
