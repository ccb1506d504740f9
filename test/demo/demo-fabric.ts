import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../simulators/common/eventually.js';
import { installNvidiaSmi } from '../simulators/nvidia-smi/install-nvidia-smi.js';
import { type OpenAiSimulator, startOpenAiSimulator } from '../simulators/openai/start-openai-simulator.js';
import { startVllmSimulator, type VllmSimulator } from '../simulators/vllm/start-vllm-simulator.js';
import { ChildProgram } from './child-program.js';
import type { ChosenPort } from './choose-ports.js';
import { CLOUD_KEY_VARIABLE, demoFabricYaml, machines, type SimulatedMachine } from './demo-estate.js';
import { Rest } from './rest.js';

export interface HostSummary {
  readonly name: string;
  readonly presence: string;
  readonly inventory: { readonly gpus: readonly { readonly uuid: string; readonly name: string }[] } | null;
  readonly sample: {
    readonly atMs: number;
    readonly host: { readonly cpuRatio: number | null; readonly memoryUsedBytes: number | null };
    readonly gpus: Readonly<
      Record<
        string,
        {
          readonly utilisationRatio: number | null;
          readonly vramUsedBytes: number | null;
          readonly vramTotalBytes: number | null;
          readonly temperatureCelsius: number | null;
          readonly powerWatts: number | null;
        }
      >
    >;
  } | null;
  readonly issues: readonly { readonly code: string; readonly severity: string }[];
}

/** The whole fabric of the demo: one control plane, this machine's agent, three simulated machines, one cloud. */
export class DemoFabric {
  readonly directory = mkdtempSync(join(tmpdir(), 'ai-fabric-demo-'));
  readonly thisHost = thisHostName();
  readonly rest: Rest;
  readonly url: string;
  readonly tlsUrl: string;
  readonly engines = new Map<string, VllmSimulator>();
  readonly #cloudKey = `demo-${randomBytes(16).toString('hex')}`;
  readonly #agents = new Map<string, ChildProgram>();
  readonly #ports: { readonly plain: ChosenPort; readonly tls: ChosenPort };
  #cloud: OpenAiSimulator | null = null;
  #controlPlane: ChildProgram | null = null;

  constructor(ports: { readonly plain: ChosenPort; readonly tls: ChosenPort }) {
    this.#ports = ports;
    this.url = `http://127.0.0.1:${ports.plain.port}`;
    this.tlsUrl = `https://127.0.0.1:${ports.tls.port}`;
    this.rest = new Rest(this.url, this.dataDirectory);
    chmodSync(this.directory, 0o700);
    mkdirSync(join(this.directory, 'logs'));
  }

  get dataDirectory(): string {
    return join(this.directory, 'control-plane');
  }

  get cloud(): OpenAiSimulator {
    if (!this.#cloud) throw new Error('the simulated cloud is not running');
    return this.#cloud;
  }

  async startEngines(): Promise<void> {
    for (const { name, engines } of machines) {
      for (const engine of engines) {
        const simulator = await startVllmSimulator({
          name,
          model: engine.model,
          runner: engine.task === 'embeddings' ? 'pooling' : 'generate',
          maxModelLen: engine.maxModelLen,
          embeddingDimensions: 768,
          speed: { prefillTokensPerSecond: 4_000, decodeTokensPerSecond: engine.tokensPerSecond },
          gaugeColdMs: 0,
          gaugeLagMs: 1_000,
        });
        this.engines.set(engine.deployment, simulator);
      }
    }
    this.#cloud = await startOpenAiSimulator({
      apiKey: this.#cloudKey,
      models: ['gpt-4.1', 'gpt-4.1-mini'],
      firstTokenMs: 120,
      tokenMs: 10,
    });
  }

  /** @throws Error with the end of its log when it is not ready within ten seconds */
  async startControlPlane(): Promise<void> {
    const file = join(this.directory, 'fabric.yaml');
    const urls = new Map([...this.engines].map(([deployment, { url }]) => [deployment, url]));
    writeFileSync(file, demoFabricYaml(urls, this.cloud.baseUrl, this.thisHost));
    const child = new ChildProgram({
      program: 'controlPlane',
      args: [
        ...['up', '--config', file, '--data', this.dataDirectory, '--host', '127.0.0.1'],
        ...['--port', String(this.#ports.plain.port), '--tls-port', String(this.#ports.tls.port)],
      ],
      environment: { [CLOUD_KEY_VARIABLE]: this.#cloudKey },
      logFile: this.logFile('control-plane'),
    });
    this.#controlPlane = child;
    const startedOrEnded = async () => (await this.rest.ready()) || !child.running;
    await eventually('the control plane is ready', startedOrEnded, 10_000);
    if (!child.running) throw new Error(`the control plane ended:\n${child.lastLines()}`);
  }

  /** `null` while it runs; else the end of its log. */
  endOfControlPlane(): string | null {
    const child = this.#controlPlane;
    return child === null || child.running ? null : child.lastLines();
  }

  async killControlPlane(): Promise<void> {
    await this.#controlPlane?.kill();
  }

  /** Joins with a token of its own and starts the agent. */
  async startHost(name: string): Promise<void> {
    const machine = machines.find((each) => each.name === name);
    const environment = {
      AI_FABRIC_AGENT_NAME: name,
      AI_FABRIC_AGENT_STATE: join(this.directory, `agent-${name}`),
      ...(machine === undefined ? {} : { AI_FABRIC_AGENT_NVIDIA_SMI: await this.#installCard(machine) }),
    };
    const { token } = await this.rest.api<{ token: string }>('/join-tokens', {
      method: 'POST',
      body: { hostName: name, ttlSeconds: 60 },
    });
    const logFile = this.logFile(`agent-${name}`);
    const join_ = new ChildProgram({
      program: 'agent',
      args: ['join', '--server', this.tlsUrl, '--token-file', '-'],
      environment,
      input: `${token}\n`,
      logFile,
    });
    if ((await join_.exited()) !== 0) throw new Error(`${name} could not join:\n${join_.lastLines()}`);
    this.#agents.set(name, new ChildProgram({ program: 'agent', args: ['run'], environment, logFile }));
  }

  /** A goodbye, as when somebody shuts the workstation down; its engines end with it. */
  async sendAway(name: string): Promise<void> {
    await this.#agents.get(name)?.stop();
    const machine = machines.find((each) => each.name === name);
    for (const { deployment } of machine?.engines ?? [])
      await this.engines.get(deployment)?.fault({ kind: 'crash' });
  }

  async hosts(): Promise<readonly HostSummary[]> {
    return (await this.rest.api<{ items: HostSummary[] }>('/hosts')).items;
  }

  logFile(name: string): string {
    return join(this.directory, 'logs', `${name}.log`);
  }

  async close(keepFiles: boolean): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await this.#controlPlane?.stop();
    await Promise.all([...this.engines.values()].map((engine) => engine.close()));
    await this.#cloud?.close();
    if (!keepFiles) rmSync(this.directory, { recursive: true, force: true });
  }

  async #installCard({ name, card }: SimulatedMachine): Promise<string> {
    const installed = await installNvidiaSmi({
      directory: join(this.directory, `nvidia-smi-${name}`),
      scenario: { cards: [card] },
    });
    return installed.path;
  }
}

/** This machine's own name, unless the estate has one of that name. */
function thisHostName(): string {
  const name =
    hostname()
      .split('.', 1)[0]
      ?.toLowerCase()
      .replace(/[^a-z0-9_-]/g, '-') ?? '';
  const taken = machines.some((machine) => machine.name === name);
  return taken || !/^[a-z0-9]/.test(name) ? 'this-machine' : name;
}
