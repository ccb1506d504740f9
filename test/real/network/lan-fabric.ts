import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../simulators/common/eventually.js';
import { Lan, type LanHost } from './lan.js';
import { askFrom, LanProgram, type Reply } from './lan-program.js';

const FABRIC = `
version: 1
hosts:
  wintermute: { mayBeAway: true }
providers:
  nearby: { baseUrl: http://127.0.0.1:9/v1, models: { fast: { model: qwen } } }
roles:
  chat-fast: { task: chat, targets: [{ provider: nearby, model: fast }] }
`;

/** A LAN with the real programs on its machines, each with files of its own. */
export class LanFabric {
  readonly lan = new Lan();
  /** The machine of the control plane. */
  readonly motoko: LanHost;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ai-fabric-lan-'));
  readonly #running: LanProgram[] = [];

  /** @param addresses motoko's, with their prefixes */
  constructor(...addresses: string[]) {
    writeFileSync(join(this.#folder, 'fabric.yaml'), FABRIC);
    this.motoko = this.lan.addHost(...addresses);
  }

  /** Declares this instead, when the control plane starts. */
  useFabric(text: string): void {
    writeFileSync(join(this.#folder, 'fabric.yaml'), text);
  }

  /** Starts it on the usual ports; it may have to wait for its addresses. */
  runControlPlane(addresses: readonly string[]): LanProgram {
    return this.#run({
      host: this.motoko,
      program: 'controlPlane',
      args: [
        ...['up', '--config', join(this.#folder, 'fabric.yaml'), '--data', join(this.#folder, 'data')],
        ...['--host', ...addresses],
      ],
      logFile: join(this.#folder, 'control-plane.log'),
    });
  }

  /** @throws Error with what it printed, when it is not ready in time */
  async startControlPlane(addresses: readonly string[]): Promise<void> {
    const program = this.runControlPlane(addresses);
    const url = 'http://127.0.0.1:8000/readyz';
    const ready = async () => (await askFrom(this.motoko, { url })).status === 200;
    await eventually('the control plane is ready', async () => !program.running || (await ready()), 45_000);
    if (!program.running) throw new Error(`the control plane ended:\n${program.output}`);
  }

  /** Joins with a token, and runs. */
  async startAgent(
    host: LanHost,
    name: string,
    server: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<LanProgram> {
    return this.#run(await this.joinAgent(host, name, server, environment));
  }

  /** Joins with a token. @returns how it is run */
  async joinAgent(
    host: LanHost,
    name: string,
    server: string,
    environment: Readonly<Record<string, string>> = {},
  ) {
    const state = join(this.#folder, `agent-${name}`);
    mkdirSync(state, { mode: 0o700 });
    const { token } = JSON.parse((await this.api('/join-tokens', { hostName: name })).body) as {
      token: string;
    };
    const agent = {
      host,
      program: 'agent',
      environment: { ...environment, AI_FABRIC_AGENT_STATE: state, AI_FABRIC_AGENT_NAME: name },
      logFile: join(this.#folder, `agent-${name}.log`),
    } as const;
    const joinArgs = ['join', '--server', server, '--token-file', '-'];
    await new LanProgram({ ...agent, args: joinArgs, input: `${token}\n` }).succeeded();
    return { ...agent, args: ['run'] };
  }

  /** A file among those of this fabric. */
  write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs one of the operator's commands on motoko. @throws Error with what it printed, unless it ends with 0 */
  async operate(...args: string[]): Promise<void> {
    const command = new LanProgram({
      host: this.motoko,
      program: 'controlPlane',
      args: [...args, '--data', join(this.#folder, 'data')],
      logFile: join(this.#folder, 'operator.log'),
    });
    await command.succeeded();
  }

  adminHeaders(): Record<string, string> {
    const token = readFileSync(join(this.#folder, 'data', 'admin.token'), 'utf8').trim();
    return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  }

  /** Asks the control API on motoko's loopback; a body makes it a POST. */
  api(path: string, body?: unknown): Promise<Reply> {
    return askFrom(this.motoko, {
      url: `http://127.0.0.1:8000/api/v1${path}`,
      headers: this.adminHeaders(),
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((program) => program.stop()));
    this.lan.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #run(options: ConstructorParameters<typeof LanProgram>[0]): LanProgram {
    const program = new LanProgram(options);
    this.#running.push(program);
    return program;
  }
}
