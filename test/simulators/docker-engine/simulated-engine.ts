import { EventFeed } from './event-feed.js';
import { ImageStore, imageId, noSuchImage } from './image-store.js';
import { type DockerEngineOptions, EngineRefusal, type SimulatedCard } from './options.js';
import { type CreateWish, SimulatedContainer } from './simulated-container.js';

export interface SimulatedVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the engine holds, and what can be done to it: Docker's semantics without its HTTP. */
export class SimulatedEngine {
  readonly events = new EventFeed();
  readonly images: ImageStore;
  readonly volumes = new Map<string, SimulatedVolume>();
  readonly cards: readonly SimulatedCard[];
  readonly podman: boolean;
  /** Podman before 5.4: Docker's create call gives no GPU, and nobody says so. */
  readonly deafToGpus: boolean;
  /** From now on containers do not see the cards that they were promised. */
  losesGpus = false;
  /** Said instead of the next start. */
  readonly startFailures: string[] = [];
  readonly #containers = new Map<string, SimulatedContainer>();

  constructor(options: DockerEngineOptions) {
    this.images = new ImageStore(options);
    this.cards = options.cards ?? [];
    this.podman = options.flavour === 'podman';
    this.deafToGpus = this.podman && /^(?:[0-4]\.|5\.[0-3]\.)/.test(options.version ?? '');
  }

  get containers(): readonly SimulatedContainer[] {
    return [...this.#containers.values()];
  }

  /** By id, the beginning of one, or name. */
  find(idOrName: string): SimulatedContainer | undefined {
    return this.containers.find(
      ({ id, name }) => name === idOrName || (idOrName.length >= 12 && id.startsWith(idOrName)),
    );
  }

  /** @throws EngineRefusal 404 */
  get(idOrName: string): SimulatedContainer {
    const found = this.find(idOrName);
    if (found === undefined) throw new EngineRefusal(404, `No such container: ${idOrName}`);
    return found;
  }

  create(wish: CreateWish): SimulatedContainer {
    const taken = this.containers.find(({ name }) => name === wish.name);
    if (taken) {
      const text = `The container name "/${wish.name}" is already in use by container "${taken.id}".`;
      throw new EngineRefusal(
        this.podman ? 500 : 409,
        this.podman ? `that name is already in use: ${text}` : `Conflict. ${text}`,
      );
    }
    const image = this.images.find(wish.image);
    if (image === undefined) throw noSuchImage(wish.image);
    for (const { volume } of wish.volumes) this.ensureVolume(volume, {});
    const container = new SimulatedContainer(wish, imageId(image), this.#visible(wish.gpus));
    this.#containers.set(container.id, container);
    this.#tell('create', container);
    return container;
  }

  async start(container: SimulatedContainer): Promise<void> {
    this.#refuseStart(container);
    const image = this.images.find(container.wish.image);
    container.state = 'running';
    container.startedAtMs = Date.now();
    container.finishedAtMs = null;
    container.oomKilled = false;
    if (image?.start) {
      try {
        const program = await image.start(container);
        container.program = program;
        void program.exited.then((exitCode) => this.#died(container, exitCode));
      } catch (error) {
        container.state = 'created';
        container.startedAtMs = null;
        throw new EngineRefusal(500, error instanceof Error ? error.message : String(error));
      }
    }
    this.#tell('start', container);
  }

  async stop(container: SimulatedContainer, graceSeconds: number): Promise<void> {
    const { program } = container;
    if (program) {
      program.terminate();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, graceSeconds * 1000, 'late');
      });
      const end = await Promise.race([program.exited, late]);
      clearTimeout(timer);
      if (end === 'late') await program.kill();
      await program.exited;
    } else {
      this.#died(container, 143);
    }
    this.#tell('stop', container);
  }

  /** From outside, as by hand or by the kernel: SIGKILL, and why. */
  async kill(container: SimulatedContainer, why: { exitCode?: number; oom?: boolean } = {}): Promise<void> {
    if (!container.running) throw new EngineRefusal(409, `Container ${container.id} is not running`);
    container.oomKilled = why.oom ?? false;
    if (why.oom) this.#tell('oom', container);
    this.#tell('kill', container, { signal: '9' });
    const { program } = container;
    // First: what the program itself would say of its end is not what killed it.
    this.#died(container, why.exitCode ?? 137);
    await program?.kill();
  }

  pause(container: SimulatedContainer): void {
    container.state = 'paused';
    this.#tell('pause', container);
  }

  unpause(container: SimulatedContainer): void {
    container.state = 'running';
    this.#tell('unpause', container);
  }

  async remove(container: SimulatedContainer): Promise<void> {
    if (container.running) await this.kill(container);
    this.#containers.delete(container.id);
    this.#tell(this.podman ? 'remove' : 'destroy', container);
  }

  ensureVolume(name: string, labels: Readonly<Record<string, string>>): SimulatedVolume {
    const volume = this.volumes.get(name) ?? { name, labels };
    this.volumes.set(name, volume);
    return volume;
  }

  removeVolume(name: string): void {
    if (!this.volumes.has(name)) throw new EngineRefusal(404, `get ${name}: no such volume`);
    const user = this.containers.find(({ wish }) => wish.volumes.some(({ volume }) => volume === name));
    if (user) throw new EngineRefusal(409, `remove ${name}: volume is in use - [${user.id}]`);
    this.volumes.delete(name);
  }

  /** Ends every program. */
  async close(): Promise<void> {
    for (const { program } of this.containers) await program?.kill();
  }

  #refuseStart(container: SimulatedContainer): void {
    const failure = this.startFailures.shift();
    if (failure !== undefined) throw new EngineRefusal(500, failure);
    const unknown = container.wish.gpus.find(
      (gpu) => gpu !== 'all' && !this.cards.some(({ uuid }) => uuid === gpu),
    );
    if (unknown !== undefined) throw new EngineRefusal(500, noSuchCard(unknown, this.podman));
    if (container.wish.gpus.length > 0 && this.cards.length === 0) {
      throw new EngineRefusal(500, 'could not select device driver "" with capabilities: [[gpu]]');
    }
    for (const { hostAddress, hostPort } of container.wish.ports) {
      const taken = this.containers.some(
        (other) => other.running && other.wish.ports.some((port) => port.hostPort === hostPort),
      );
      if (taken) throw new EngineRefusal(500, portTaken(container.name, hostAddress, hostPort));
    }
  }

  #visible(gpus: readonly string[]): readonly string[] {
    if (this.losesGpus) return [];
    return gpus.includes('all') ? this.cards.map(({ uuid }) => uuid) : gpus;
  }

  #died(container: SimulatedContainer, exitCode: number): void {
    if (!container.running) return;
    container.state = 'exited';
    container.exitCode = exitCode;
    container.finishedAtMs = Date.now();
    container.program = null;
    container.endFollowing();
    this.#tell('die', container, { exitCode: String(exitCode) });
  }

  #tell(
    action: string,
    { id, name, wish }: SimulatedContainer,
    more: Readonly<Record<string, string>> = {},
  ): void {
    this.events.push('container', action, id, { ...wish.labels, image: wish.image, name, ...more });
  }
}

function noSuchCard(uuid: string, podman: boolean): string {
  return podman
    ? `setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=${uuid}`
    : `failed to create task for container: nvidia-container-cli: device error: ${uuid}: unknown device: unknown`;
}

/** What Docker says of a port that another container, or a program, has. */
export function portTaken(name: string, hostAddress: string, hostPort: number): string {
  return (
    `driver failed programming external connectivity on endpoint ${name}: ` +
    `Bind for ${hostAddress}:${hostPort} failed: port is already allocated`
  );
}
