import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../../harness/temporary-directory.js';
import { eventually } from '../../simulators/common/eventually.js';
import { cdiSpec } from './cdi-spec.js';
import { endMonitors } from './end-monitors.js';
import { isInstalled } from './is-installed.js';
import { runTool } from './run-tool.js';
import { makeVllmArchive, VLLM_ENTRYPOINT, writeNvidiaSmi } from './vllm-image.js';

export interface PodmanMachineOptions {
  /** Registries without TLS: `127.0.0.1:5000`. */
  readonly registries?: readonly string[];
  readonly cardName?: string;
  /** Where it keeps everything; one of its own by default. It is removed at the end. */
  readonly folder?: string;
  /** Ends what is under way; what cleans up runs on. */
  readonly signal?: AbortSignal;
}

/** Where Podman keeps what it knows, within the machine's folder. */
const FOLDERS = ['storage', 'tmp', 'networks', 'state'] as const;

/** Podman 4 looks nowhere else, but in `/var/run/cdi`. */
const CDI_FOLDER = '/etc/cdi';

const NETWORK_TRIES = 8;

/**
 * A real Podman with storage, configuration, network and API socket of its own, and a card that is none: a CDI spec
 * that brings a fake `nvidia-smi` into containers. Nothing of the machine's own Podman is touched. Outside its folder
 * are a folder in `/run`, and the CDI spec, whose place Podman 4 does not let anybody choose: both of names of its own.
 *
 *     const machine = await PodmanMachine.start({ registries: [registry.address] });
 *     await machine.importVllmImage(`${registry.address}/vllm/vllm-openai:v1`);
 *     openContainerEngine({ endpoints: [machine.socketPath], … });
 *     await machine.close();
 */
export class PodmanMachine {
  /** `GPU-…`: no other machine has it. */
  readonly cardUuid = `GPU-${randomUUID()}`;
  readonly cardName: string;
  readonly folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal | undefined;
  #service: ChildProcess | null = null;
  #madeCdiFolder = false;

  private constructor(options: PodmanMachineOptions) {
    const { registries = [], cardName = 'NVIDIA GeForce RTX 4070', signal } = options;
    this.cardName = cardName;
    this.#signal = signal;
    this.folder = options.folder ?? temporaryDirectory().path;
    for (const name of FOLDERS) mkdirSync(join(this.folder, name), { recursive: true });
    mkdirSync(this.#runFolder, { recursive: true });
    for (const own of [false, true]) writeFileSync(this.#containersConf(own), this.#configuration(own));
    const insecure = registries.map(
      (at) => `[[registry]]\nlocation = ${JSON.stringify(at)}\ninsecure = true\n`,
    );
    writeFileSync(
      join(this.folder, 'registries.conf'),
      `unqualified-search-registries = []\n${insecure.join('')}`,
    );
    writeFileSync(join(this.folder, 'auth.json'), '{}');
    this.#environment = {
      ...process.env,
      CONTAINERS_CONF: this.#containersConf(true),
      CONTAINERS_REGISTRIES_CONF: join(this.folder, 'registries.conf'),
      REGISTRY_AUTH_FILE: join(this.folder, 'auth.json'),
      // Where a pull keeps the layers that it has not unpacked.
      TMPDIR: join(this.folder, 'tmp'),
    };
  }

  /** @throws Error with what Podman complained of; nothing of the machine stays then */
  static async start(options: PodmanMachineOptions = {}): Promise<PodmanMachine> {
    const machine = new PodmanMachine(options);
    try {
      await machine.#createNetwork();
      machine.installCard();
      await machine.startService();
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  get socketPath(): string {
    return join(this.folder, 'podman.sock');
  }

  /** What the service complained of. */
  get serviceLog(): string {
    return readFileSync(join(this.folder, 'service.log'), 'utf8');
  }

  /** Podman's command line on the same storage: what an operator does by hand. @returns what it printed */
  podman(...args: readonly string[]): Promise<string> {
    return this.#run('podman', [...this.#storage(), ...args]);
  }

  /** docker-compose, by the API that Podman has in Docker's place. @returns what it printed */
  compose(files: readonly string[], ...args: readonly string[]): Promise<string> {
    const environment = { ...this.#environment, DOCKER_HOST: `unix://${this.socketPath}` };
    const named = files.flatMap((file) => ['--file', file]);
    return runTool('docker-compose', [...named, ...args], { environment, signal: this.#signal });
  }

  async startService(): Promise<void> {
    const log = join(this.folder, 'service.log');
    const command = `exec podman "$@" >>${JSON.stringify(log)} 2>&1`;
    const args = [...this.#storage(), 'system', 'service', '--time=0', `unix://${this.socketPath}`];
    this.#service = spawn('sh', ['-c', command, 'sh', ...args], {
      env: this.#environment,
      stdio: 'ignore',
      // A group of its own: a terminal's Ctrl-C must not end it before its containers.
      detached: true,
    });
    await eventually('Podman answers', () => answers(this.socketPath), 30_000);
  }

  /** The engine is gone, its containers run on: Podman has no daemon. */
  async stopService(): Promise<void> {
    const service = this.#service;
    this.#service = null;
    if (!service || service.exitCode !== null || service.signalCode !== null) return;
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    await ended;
    rmSync(this.socketPath, { force: true });
  }

  /**
   * Makes an image of the simulated vLLM, which listens on port 8000. It takes some seconds.
   *
   * @param environment of every container of it, as `SIMULATED_LOAD_MS`
   */
  async importVllmImage(
    reference: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const archive = join(this.folder, 'image.tar');
    await makeVllmArchive(archive, this.#signal);
    const entrypoint = `ENTRYPOINT ${JSON.stringify(VLLM_ENTRYPOINT)}`;
    const variables = Object.entries(environment).map(([name, value]) => `ENV ${name}=${value}`);
    const changes = [entrypoint, ...variables].flatMap((change) => ['--change', change]);
    await this.podman('import', '--quiet', ...changes, archive, reference);
    rmSync(archive);
  }

  /** A CDI spec for the card, as `nvidia-ctk cdi generate` would write it. */
  installCard(): void {
    writeNvidiaSmi(this.#nvidiaSmi, [{ uuid: this.cardUuid, name: this.cardName }]);
    this.#madeCdiFolder ||= mkdirSync(CDI_FOLDER, { recursive: true }) !== undefined;
    writeFileSync(this.#cdiSpec, cdiSpec(this.cardUuid, this.#nvidiaSmi));
  }

  /** As after a driver update: the spec names files that are gone. */
  makeCardStale(): void {
    rmSync(this.#nvidiaSmi, { force: true });
  }

  /** The spec is not there. */
  removeCard(): void {
    rmSync(this.#cdiSpec, { force: true });
  }

  /** The disk on which a pull puts its layers is as large as that, until the promise is kept. */
  async withSmallDisk(bytes: number, run: () => Promise<void>): Promise<void> {
    const place = join(this.folder, 'tmp');
    await this.#run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', place]);
    try {
      await run();
    } finally {
      await runTool('umount', ['-l', place]);
    }
  }

  /** Removes its containers, images, network and files. It goes on where something fails: the rest must not stay. */
  async close(): Promise<void> {
    const clean = (args: readonly string[], own = true): Promise<unknown> =>
      runTool('podman', [...this.#storage(), ...args], {
        environment: { ...this.#environment, CONTAINERS_CONF: this.#containersConf(own) },
      }).catch(() => {});
    await clean(['rm', '--all', '--force', '--time', '0']);
    await this.stopService();
    endMonitors(join(this.folder, 'storage'));
    await clean(['network', 'rm', '--force', this.#network], false);
    // CNI keeps there which addresses it gave away.
    rmSync(join('/var/lib/cni/networks', this.#network), { recursive: true, force: true });
    this.removeCard();
    if (this.#madeCdiFolder) removeIfEmpty(CDI_FOLDER);
    // The storage driver leaves it mounted upon itself.
    spawnSync('umount', ['-l', join(this.folder, 'storage', 'overlay')], { stdio: 'ignore' });
    for (const folder of [this.#runFolder, this.folder]) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** Of a subnet that is free here, on a bridge that nobody else has. */
  async #createNetwork(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const subnet = `10.${randomInt(128, 255)}.${randomInt(256)}.0/24`;
      try {
        const create = ['network', 'create', '--disable-dns', '--subnet', subnet, this.#network];
        const environment = { ...this.#environment, CONTAINERS_CONF: this.#containersConf(false) };
        await runTool('podman', [...this.#storage(), ...create], { environment, signal: this.#signal });
        break;
      } catch (error) {
        if (tries === NETWORK_TRIES || this.#signal?.aborted) throw error;
      }
    }
    // Podman 4.3 lets nobody choose the bridge, and would give two machines the same one. CNI's file or netavark's.
    for (const ending of ['conflist', 'json']) {
      const file = join(this.folder, 'networks', `${this.#network}.${ending}`);
      if (!existsSync(file)) continue;
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace(/"(bridge|network_interface)": *"[^"]*"/, `"$1": "${this.#network}"`));
    }
  }

  #run(program: string, args: readonly string[]): Promise<string> {
    return runTool(program, args, { environment: this.#environment, signal: this.#signal });
  }

  #containersConf(ownNetwork: boolean): string {
    return join(this.folder, ownNetwork ? 'containers.conf' : 'containers-bare.conf');
  }

  /**
   * What works where cgroups are hybrid and limits cannot be raised: runc, and modest limits.
   *
   * @param ownNetwork what is not made or removed yet cannot be the default one
   */
  #configuration(ownNetwork: boolean): string {
    return `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
${isInstalled('runc') ? 'runtime = "runc"' : ''}
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = ${JSON.stringify(join(this.folder, 'networks'))}
${ownNetwork ? `default_network = "${this.#network}"` : ''}
`;
  }

  /** The network's name, and its bridge's, which may have 15 characters. */
  get #network(): string {
    return `aif-${this.#tag}`;
  }

  /** What names outside of its folder end with. */
  get #tag(): string {
    return this.cardUuid.slice(4, 12);
  }

  get #nvidiaSmi(): string {
    return join(this.folder, 'nvidia-smi');
  }

  get #cdiSpec(): string {
    return join(CDI_FOLDER, `ai-fabric-test-${this.#tag}.yaml`);
  }

  #storage(): string[] {
    const [storage, state] = [join(this.folder, 'storage'), join(this.folder, 'state')];
    return ['--root', storage, '--runroot', this.#runFolder, '--tmpdir', state];
  }

  /** Podman takes none of more than 50 characters, which a folder for temporary files may have alone. */
  get #runFolder(): string {
    return join('/run', this.#network);
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody put something there meanwhile.
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
