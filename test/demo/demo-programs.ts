import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { eventually } from '../simulators/common/eventually.js';
import { ChildProgram } from './child-program.js';
import type { ChosenPort } from './choose-ports.js';
import { Rest } from './rest.js';

export interface DemoPorts {
  readonly plain: ChosenPort;
  readonly tls: ChosenPort;
}

/** The fabric's own programs in a demo, each a process: a control plane, and the agents of hosts that join it. */
export class DemoPrograms {
  readonly directory = mkdtempSync(join(tmpdir(), 'ai-fabric-demo-'));
  readonly rest: Rest;
  readonly url: string;
  readonly tlsUrl: string;
  readonly #agents = new Map<
    string,
    { child: ChildProgram; environment: Readonly<Record<string, string>> }
  >();
  readonly #ports: DemoPorts;
  readonly #signal: AbortSignal | undefined;
  #controlPlane: ChildProgram | null = null;

  /** @param signal calls and waits end with it */
  constructor(ports: DemoPorts, signal?: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
    this.url = `http://127.0.0.1:${ports.plain.port}`;
    this.tlsUrl = `https://127.0.0.1:${ports.tls.port}`;
    this.rest = new Rest(this.url, this.dataDirectory, signal);
    chmodSync(this.directory, 0o700);
    mkdirSync(join(this.directory, 'logs'));
  }

  get dataDirectory(): string {
    return join(this.directory, 'control-plane');
  }

  /**
   * @param fabric the text of its fabric.yaml
   * @throws Error with the end of its log when it is not ready within ten seconds
   */
  async startControlPlane(fabric: string, environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const file = join(this.directory, 'fabric.yaml');
    writeFileSync(file, fabric);
    const child = new ChildProgram({
      program: 'controlPlane',
      args: [
        ...['up', '--config', file, '--data', this.dataDirectory, '--host', '127.0.0.1'],
        ...['--port', String(this.#ports.plain.port), '--tls-port', String(this.#ports.tls.port)],
      ],
      environment,
      logFile: this.logFile('control-plane'),
    });
    this.#controlPlane = child;
    await this.until(
      'the control plane is ready',
      async () => (await this.rest.ready()) || !child.running,
      10_000,
    );
    if (!child.running) throw new Error(`the control plane ended:\n${child.lastLines()}`);
  }

  /** @param fabric the text of a fabric.yaml */
  async applyFabric(fabric: string): Promise<void> {
    const { revision } = await this.rest.api<{ revision: number }>('/declared');
    const document: unknown = parse(fabric);
    const body = { document, prune: false, expectedRevision: revision };
    await this.rest.api('/declared/apply', { method: 'POST', body });
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
  async startHost(name: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#runAgent(name, await this.joinHost(name, settings));
  }

  /** Joins with a token of its own. @returns the environment that its agent is to be run in */
  async joinHost(
    name: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, string>>> {
    const environment = {
      AI_FABRIC_AGENT_NAME: name,
      AI_FABRIC_AGENT_STATE: this.agentState(name),
      ...settings,
    };
    const { token } = await this.rest.api<{ token: string }>('/join-tokens', {
      method: 'POST',
      body: { hostName: name, ttlSeconds: 60 },
    });
    const join_ = new ChildProgram({
      program: 'agent',
      args: ['join', '--server', this.tlsUrl, '--token-file', '-'],
      environment,
      input: `${token}\n`,
      logFile: this.logFile(`agent-${name}`),
    });
    if ((await join_.exited()) !== 0) throw new Error(`${name} could not join:\n${join_.lastLines()}`);
    this.#signal?.throwIfAborted();
    return environment;
  }

  /** No goodbye: as a power cut of the agent alone. It is started again at once. */
  async restartAgent(name: string): Promise<void> {
    const running = this.#agents.get(name);
    if (running === undefined) throw new Error(`no agent of ${name} runs`);
    await running.child.kill();
    this.#runAgent(name, running.environment);
  }

  /** A goodbye, as when somebody shuts the workstation down. */
  async stopAgent(name: string): Promise<void> {
    await this.#agents.get(name)?.child.stop();
  }

  agentState(name: string): string {
    return join(this.directory, `agent-${name}`);
  }

  /** Waits until it holds. @throws Error when it does not in time, or the demo is ended */
  async until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 15_000): Promise<void> {
    const signal = this.#signal;
    await eventually(what, async () => signal?.aborted === true || (await holds()), deadlineMs);
    signal?.throwIfAborted();
  }

  async close(keepFiles: boolean): Promise<void> {
    await Promise.all([...this.#agents.values()].map(({ child }) => child.stop()));
    await this.#controlPlane?.stop();
    if (!keepFiles) rmSync(this.directory, { recursive: true, force: true });
  }

  #runAgent(name: string, environment: Readonly<Record<string, string>>): void {
    const logFile = this.logFile(`agent-${name}`);
    const child = new ChildProgram({ program: 'agent', args: ['run'], environment, logFile });
    this.#agents.set(name, { child, environment });
  }

  /** Of a program of this name. */
  logFile(name: string): string {
    return join(this.directory, 'logs', `${name}.log`);
  }
}

/** This machine's own name, unless it is one of those. */
export function thisHostName(taken: readonly string[] = []): string {
  const name =
    hostname()
      .split('.', 1)[0]
      ?.toLowerCase()
      .replace(/[^a-z0-9_-]/g, '-') ?? '';
  return taken.includes(name) || !/^[a-z0-9]/.test(name) ? 'this-machine' : name;
}
