import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from '../bench.js';
import { BenchProcess } from '../machine/bench-process.js';
import { freePorts } from '../machine/free-ports.js';
import { pause } from '../machine/pause.js';
import { nodeFlagsOf, programs } from './programs.js';

export interface ControlPlaneOptions {
  readonly context: BenchContext;
  readonly role: 'measured' | 'load';
  readonly fabricYaml: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** How often a starting control plane is asked whether it is ready: the error of `ready_ms`. */
const READY_POLL_MS = 5;
/** Not more often: it is asked of the core that is measured. */
const ONLINE_POLL_MS = 25;

/** The real `ai-fabric up` on a data directory and ports of its own, which a restart keeps. */
export class ControlPlaneProcess {
  readonly port: number;
  readonly tlsPort: number;
  readonly #options: ControlPlaneOptions;
  readonly #directory: string;
  #process: BenchProcess | null = null;

  private constructor(options: ControlPlaneOptions, [port = 0, tlsPort = 0]: readonly number[]) {
    this.#options = options;
    this.#directory = join(options.context.directory, 'control-plane');
    this.port = port;
    this.tlsPort = tlsPort;
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(this.#fabricFile, options.fabricYaml);
    options.context.atEnd(() => this.stop());
  }

  /** Not started yet: call `start`. */
  static async prepare(options: ControlPlaneOptions): Promise<ControlPlaneProcess> {
    return new ControlPlaneProcess(options, await freePorts(2));
  }

  get process(): BenchProcess {
    if (!this.#process) throw new Error('the control plane was not started');
    return this.#process;
  }

  /**
   * @returns milliseconds from the start of the process to its first 200 on /readyz
   * @throws Error with the end of its log when it is not ready within 30 seconds
   */
  async start(): Promise<number> {
    const { context, role, environment = {} } = this.#options;
    const profile = context.profileDirectory;
    const startedAtMs = performance.now();
    const child = new BenchProcess({
      name: 'the control plane',
      machine: context.machine,
      role,
      file: process.execPath,
      args: [
        ...(profile !== null && role === 'measured' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []),
        ...nodeFlagsOf(programs.controlPlane),
        ...[programs.controlPlane, 'up', '--config', this.#fabricFile, '--data', this.#dataDirectory],
        ...['--host', '127.0.0.1', '--port', String(this.port), '--tls-port', String(this.tlsPort)],
      ],
      logFile: join(context.directory, 'control-plane.log'),
      environment,
    });
    this.#process = child;
    while (!(await this.#isReady())) {
      if (!child.running) throw new Error(`the control plane ended:\n${child.lastLines()}`);
      if (performance.now() - startedAtMs > 30_000) {
        throw new Error(`the control plane is not ready after 30 s:\n${child.lastLines()}`);
      }
      await pause(READY_POLL_MS);
    }
    return performance.now() - startedAtMs;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  get adminToken(): string {
    return readFileSync(join(this.#dataDirectory, 'admin.token'), 'utf8').trim();
  }

  /** A call of the control API. */
  async api<Body>(path: string, body?: object): Promise<Body> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${this.adminToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Body;
  }

  /** One that a host of any name may join with. */
  async createJoinToken(): Promise<string> {
    const { token } = await this.api<{ token: string }>('/join-tokens', { ttlSeconds: 600 });
    return token;
  }

  async hostsOnline(): Promise<number> {
    const { items } = await this.api<{ items: readonly { presence: string }[] }>('/hosts?limit=1000');
    return items.filter((host) => host.presence === 'online').length;
  }

  /**
   * Waits until this many hosts are linked.
   *
   * @throws Error after the deadline
   */
  async untilOnline(hosts: number, deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    // While it is away or starting nobody answers.
    while ((await this.hostsOnline().catch(() => 0)) < hosts) {
      if (performance.now() > endMs) throw new Error(`${hosts} hosts are not online within ${deadlineMs} ms`);
      await pause(ONLINE_POLL_MS);
    }
  }

  /** Waits until no host is linked. @throws Error after the deadline */
  async untilOffline(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    while ((await this.hostsOnline()) > 0) {
      if (performance.now() > endMs) throw new Error(`a host is still online after ${deadlineMs} ms`);
      await pause(ONLINE_POLL_MS);
    }
  }

  /** Prometheus' text, as a scraper on this machine gets it. */
  async metrics(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/metrics`);
    if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
    return answer.text();
  }

  get #dataDirectory(): string {
    return join(this.#directory, 'data');
  }

  get #fabricFile(): string {
    return join(this.#directory, 'fabric.yaml');
  }

  async #isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port}/readyz`);
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      // Not listening yet.
      return false;
    }
  }
}
