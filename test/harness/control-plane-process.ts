import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../simulators/common/eventually.js';
import { placeCertificate } from './place-certificate.js';
import { type CliResult, PROGRAMS, ProgramProcess } from './run-program.js';
import { temporaryDirectory } from './temporary-directory.js';

interface Announced {
  readonly plainUrls: readonly string[];
  readonly tlsUrls: readonly string[];
  readonly certificateSha256: string;
  readonly adminTokenFile: string;
}

/** Of a program that takes half a second where the processors are free, and ten where they are not. */
const START_DEADLINE_MS = 45_000;

export interface UpOptions {
  readonly fabric?: string;
  readonly flags?: readonly string[];
  readonly uid?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** At its first start it makes its certificate itself, instead of finding one. */
  readonly makesCertificate?: boolean;
}

/** The real `ai-fabric up` on a data directory and ports of its own, which it keeps when it is started again. */
export class ControlPlaneProcess {
  readonly #home = temporaryDirectory();
  #data = 'data';
  #process: ProgramProcess | null = null;
  #announced: Announced | null = null;

  constructor() {
    mkdirSync(this.dataDirectory);
  }

  get dataDirectory(): string {
    return join(this.#home.path, this.#data);
  }
  /** The next start is on another data directory, at the same address. */
  moveTo(data: string): void {
    this.#data = data;
  }
  get fabricFile(): string {
    return join(this.#home.path, 'fabric.yaml');
  }
  get url(): string {
    return this.#known.plainUrls[0] ?? '';
  }
  get tlsUrl(): string {
    return this.#known.tlsUrls[0] ?? '';
  }
  get adminToken(): string {
    return readFileSync(this.#known.adminTokenFile, 'utf8').trim();
  }
  get pid(): number | undefined {
    return this.#process?.child.pid;
  }

  /** Starts it without waiting for anything. */
  spawn({ fabric, flags = [], uid, environment = {} }: UpOptions = {}): ProgramProcess {
    if (fabric !== undefined) writeFileSync(this.fabricFile, fabric);
    const config = fabric === undefined ? [] : ['--config', this.fabricFile];
    const port = (url: string | undefined): string => new URL(url ?? 'http://127.0.0.1:0').port || '0';
    const { plainUrls = [], tlsUrls = [] } = this.#announced ?? {};
    const ports = ['--port', port(plainUrls[0]), '--tls-port', port(tlsUrls[0])];
    const args = [
      'up',
      '--json',
      '--data',
      this.dataDirectory,
      '--host',
      '127.0.0.1',
      ...ports,
      ...config,
      ...flags,
    ];
    this.#process = new ProgramProcess(PROGRAMS.controlPlane, args, {
      environment,
      ...(uid === undefined ? {} : { uid }),
    });
    return this.#process;
  }

  /** Starts it, and waits until it says where it is. @throws Error with its last words */
  async start(options: UpOptions = {}): Promise<void> {
    // Not at later starts: another data directory has the one that came with a backup.
    if (this.#announced === null && !options.makesCertificate) await placeCertificate(this.dataDirectory);
    const child = this.spawn(options);
    const settled = (): boolean => child.stdout.trimEnd().endsWith('}') || !child.running;
    await eventually('the control plane is up', settled, START_DEADLINE_MS);
    if (!child.running) throw new Error(`the control plane ended: ${child.stderr}`);
    this.#announced = JSON.parse(child.stdout) as Announced;
  }

  /** As a service manager stops it. */
  async stop(): Promise<CliResult> {
    const process = this.#process;
    if (process === null) throw new Error('the control plane was not started');
    await process.kill('SIGTERM');
    return process.ended();
  }

  /** SIGKILL: nothing is said and nothing written any more. */
  async kill(): Promise<void> {
    await this.#process?.kill('SIGKILL');
  }

  /** @throws Error with the answer when it is no success */
  async api<Body>(path: string, init: { method?: string; body?: unknown } = {}): Promise<Body> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method: init.method ?? 'GET',
      headers: { authorization: `Bearer ${this.adminToken}`, 'content-type': 'application/json' },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  async joinToken(): Promise<string> {
    return (await this.api<{ token: string }>('/join-tokens', { method: 'POST', body: {} })).token;
  }

  async close(): Promise<void> {
    await this.kill();
    this.#home.remove();
  }

  get #known(): Announced {
    if (this.#announced === null) throw new Error('the control plane was not started');
    return this.#announced;
  }
}
