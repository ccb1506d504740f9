import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../../harness/temporary-directory.js';
import { eventually } from '../../simulators/common/eventually.js';
import { runTool } from './run-tool.js';
import { makeVllmRootFileSystem, NODE_IN_IMAGE, writeNvidiaSmi } from './vllm-image.js';

export interface PodmanMachineOptions {
  /** Registries without TLS: `127.0.0.1:5000`. */
  readonly registries?: readonly string[];
  readonly cardName?: string;
}

/** What works where cgroups are hybrid and limits cannot be raised: runc, and modest limits. */
const CONTAINERS_CONF = `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
`;

/**
 * A real Podman with storage, configuration and API socket of its own, and a card that is none: a CDI spec that brings
 * a fake `nvidia-smi` into containers. Nothing of the machine's own Podman is touched; the one file outside its folder
 * is the CDI spec, whose place Podman 4 does not let anybody choose: it has a name and a card of its own.
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
  readonly #folder = temporaryDirectory();
  readonly #environment: NodeJS.ProcessEnv;
  #service: ChildProcess | null = null;

  private constructor({ registries = [], cardName = 'NVIDIA GeForce RTX 4070' }: PodmanMachineOptions) {
    this.cardName = cardName;
    for (const name of ['storage', 'run', 'tmp', 'cni', 'state']) mkdirSync(join(this.folder, name));
    const networks = `network_config_dir = ${JSON.stringify(join(this.folder, 'cni'))}\n`;
    writeFileSync(join(this.folder, 'containers.conf'), CONTAINERS_CONF + networks);
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
      CONTAINERS_CONF: join(this.folder, 'containers.conf'),
      CONTAINERS_REGISTRIES_CONF: join(this.folder, 'registries.conf'),
      REGISTRY_AUTH_FILE: join(this.folder, 'auth.json'),
      // Where a pull keeps the layers that it has not unpacked.
      TMPDIR: join(this.folder, 'tmp'),
    };
  }

  static async start(options: PodmanMachineOptions = {}): Promise<PodmanMachine> {
    const machine = new PodmanMachine(options);
    machine.installCard();
    await machine.startService();
    return machine;
  }

  get folder(): string {
    return this.#folder.path;
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
    return runTool('podman', [...this.#storage(), ...args], this.#environment);
  }

  async startService(): Promise<void> {
    const log = join(this.folder, 'service.log');
    const command = `exec podman "$@" >>${JSON.stringify(log)} 2>&1`;
    const args = [...this.#storage(), 'system', 'service', '--time=0', `unix://${this.socketPath}`];
    this.#service = spawn('sh', ['-c', command, 'sh', ...args], { env: this.#environment, stdio: 'ignore' });
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

  /** Makes an image of the simulated vLLM, which listens on port 8000. It takes some seconds. */
  async importVllmImage(reference: string): Promise<void> {
    const root = join(this.folder, 'root-file-system');
    await makeVllmRootFileSystem(root);
    const archive = join(this.folder, 'image.tar');
    await runTool('tar', ['-C', root, '-cf', archive, '.'], this.#environment);
    rmSync(root, { recursive: true });
    const entrypoint = `ENTRYPOINT ["${NODE_IN_IMAGE}", "/app/vllm.mjs"]`;
    await this.podman('import', '--quiet', '--change', entrypoint, archive, reference);
    rmSync(archive);
  }

  /** A CDI spec for the card, as `nvidia-ctk cdi generate` would write it. */
  installCard(): void {
    writeNvidiaSmi(this.#nvidiaSmi, [{ uuid: this.cardUuid, name: this.cardName }]);
    mkdirSync('/etc/cdi', { recursive: true });
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

  /** Removes its containers, images and files. */
  async close(): Promise<void> {
    await this.podman('rm', '--all', '--force', '--time', '0').catch(() => {});
    await this.stopService();
    this.removeCard();
    // The storage driver leaves it mounted upon itself.
    spawnSync('umount', ['-l', join(this.folder, 'storage', 'overlay')], { stdio: 'ignore' });
    this.#folder.remove();
  }

  get #nvidiaSmi(): string {
    return join(this.folder, 'nvidia-smi');
  }

  get #cdiSpec(): string {
    return `/etc/cdi/ai-fabric-test-${this.cardUuid.slice(4, 12)}.yaml`;
  }

  #storage(): string[] {
    const [storage, run, state] = ['storage', 'run', 'state'].map((name) => join(this.folder, name)) as [
      string,
      string,
      string,
    ];
    return ['--root', storage, '--runroot', run, '--tmpdir', state];
  }
}

function cdiSpec(uuid: string, nvidiaSmi: string): string {
  return `cdiVersion: "0.3.0"
kind: nvidia.com/gpu
devices:
  - name: ${uuid}
    containerEdits:
      env: ["NVIDIA_VISIBLE_DEVICES=void"]
      mounts:
        - hostPath: ${JSON.stringify(nvidiaSmi)}
          containerPath: /usr/bin/nvidia-smi
          options: [ro, nosuid, nodev, bind]
`;
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
