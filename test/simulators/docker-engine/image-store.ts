import { createHash } from 'node:crypto';
import { type DockerEngineOptions, EngineRefusal, type PullFailure, type SimulatedImage } from './options.js';

type ImageStoreOptions = Pick<DockerEngineOptions, 'images' | 'registry' | 'layerMs' | 'layerSteps'>;

interface Layer {
  readonly id: string;
  readonly bytes: number;
}

/** What the machine has, and what the registry would give. */
export class ImageStore {
  readonly #local = new Map<string, SimulatedImage>();
  readonly #registry: readonly SimulatedImage[];
  readonly #layerMs: number;
  readonly #layerSteps: number;
  /** Taken by one pull each. */
  readonly failures: PullFailure[] = [];
  /** The decoded credentials of every pull; `null` of one without. */
  readonly credentials: (string | null)[] = [];

  constructor({ images = [], registry = [], layerMs = 0, layerSteps = 4 }: ImageStoreOptions) {
    for (const image of images) this.#local.set(image.reference, image);
    this.#registry = registry;
    this.#layerMs = layerMs;
    this.#layerSteps = layerSteps;
  }

  find(reference: string): SimulatedImage | undefined {
    return [...this.#local.values()].find((image) => isNamed(image, reference));
  }

  remove(reference: string): boolean {
    const image = this.find(reference);
    return image !== undefined && this.#local.delete(image.reference);
  }

  /** Sends what Docker would send. An error is a line of the stream, whose status is 200. */
  async pull(reference: string, auth: string | null, send: (message: object) => boolean): Promise<void> {
    this.credentials.push(auth);
    const failure = this.failures.shift();
    const image = this.#registry.find((candidate) => isNamed(candidate, reference));
    const refuse = (message: string): void => void send({ errorDetail: { message }, error: message });
    if (image === undefined) {
      return refuse(
        failure?.message ?? `manifest for ${reference} not found: manifest unknown: manifest unknown`,
      );
    }
    send({ status: `Pulling from ${reference}`, id: 'latest' });
    const layers = image.layers ?? defaultLayers(image.reference);
    for (const { id } of layers) send({ status: 'Pulling fs layer', progressDetail: {}, id });
    for (const [at, layer] of layers.entries()) {
      const broken = failure !== undefined && at >= (failure.afterLayers ?? 0);
      if (!(await this.#sendLayer(layer, broken ? 0.5 : 1, send))) return;
      if (broken) return refuse(failure.message);
    }
    for (const { id } of layers) send({ status: 'Pull complete', progressDetail: {}, id });
    this.#local.set(image.reference, image);
    send({ status: `Status: Downloaded newer image for ${reference}` });
  }

  async #sendLayer(
    { id, bytes }: Layer,
    share: number,
    send: (message: object) => boolean,
  ): Promise<boolean> {
    const steps = this.#layerSteps;
    for (let step = 1; step <= steps; step += 1) {
      if (this.#layerMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#layerMs / steps));
      const current = Math.floor((bytes * share * step) / steps);
      if (!send({ status: 'Downloading', progressDetail: { current, total: bytes }, id })) return false;
    }
    return share < 1 || send({ status: 'Download complete', progressDetail: {}, id });
  }
}

export function imageDigest(image: SimulatedImage): string {
  return image.digest ?? `sha256:${createHash('sha256').update(image.reference).digest('hex')}`;
}

export function imageId(image: SimulatedImage): string {
  return `sha256:${createHash('sha256').update(`config of ${image.reference}`).digest('hex')}`;
}

export function imageBytes(image: SimulatedImage): number {
  return (image.layers ?? defaultLayers(image.reference)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @throws EngineRefusal as Docker refuses to make a container of what is not there */
export function noSuchImage(reference: string): EngineRefusal {
  return new EngineRefusal(404, `No such image: ${reference}`);
}

function defaultLayers(reference: string): Layer[] {
  const hash = createHash('sha256').update(`layers of ${reference}`).digest('hex');
  return [0, 1, 2].map((at) => ({ id: hash.slice(at * 12, at * 12 + 12), bytes: (at + 1) * 100_000_000 }));
}

function isNamed(image: SimulatedImage, reference: string): boolean {
  const asked = whole(reference);
  const repository = image.reference.slice(0, image.reference.lastIndexOf(':'));
  return (
    asked === image.reference ||
    asked === `${repository}@${imageDigest(image)}` ||
    reference === imageId(image)
  );
}

/** Docker's short names. */
function whole(reference: string): string {
  const first = reference.split('/')[0] ?? '';
  return reference.includes('/') && (first === 'localhost' || /[.:]/.test(first))
    ? reference
    : `docker.io/${reference}`;
}
