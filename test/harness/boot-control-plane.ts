import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ControlPlane,
  type ControlPlaneConfig,
  LogTail,
  startControlPlane,
} from '@ai-fabric/control-plane';
import type { Clock } from '@ai-fabric/shared';
import { pino } from 'pino';
import { placeCertificate } from './place-certificate.js';

export interface BootOptions {
  /** The text of a fabric.yaml. */
  readonly fabric: string;
  /** A data directory that is there already: a restart. */
  readonly dataDirectory?: string;
  readonly config?: Partial<ControlPlaneConfig>;
  readonly clock?: Clock;
  /** Lines of the log, for tests that look at it. */
  readonly logLines?: string[];
}

/** A control plane in this process, on ports of its own, with the calls that tests make of it. */
export class BootedControlPlane {
  readonly dataDirectory: string;
  readonly #program: ControlPlane;
  readonly #ownsDirectory: boolean;

  private constructor(program: ControlPlane, dataDirectory: string, ownsDirectory: boolean) {
    this.#program = program;
    this.dataDirectory = dataDirectory;
    this.#ownsDirectory = ownsDirectory;
  }

  static async boot(options: BootOptions): Promise<BootedControlPlane> {
    const dataDirectory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'ai-fabric-test-'));
    const fabricFile = join(dataDirectory, 'fabric.yaml');
    writeFileSync(fabricFile, options.fabric);
    await placeCertificate(dataDirectory);
    const config: ControlPlaneConfig = {
      dataDirectory,
      fabricFile,
      listenHosts: ['127.0.0.1'],
      port: 0,
      tlsPort: 0,
      logLevel: 'silent',
      maxBodyBytes: 32 * 1024 * 1024,
      maxMultipartBytes: 200 * 1024 * 1024,
      bodyTimeoutSeconds: 30,
      maxConnections: 4096,
      closeGraceSeconds: 10,
      wakePorts: [9, 7],
      releaseDirectory: null,
      ...options.config,
    };
    const logTail = new LogTail({ write: (line) => options.logLines?.push(line) });
    const log = pino({ level: options.logLines ? 'debug' : 'info' }, logTail);
    const program = await startControlPlane(config, {
      ...{ log, logTail },
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
    return new BootedControlPlane(program, dataDirectory, options.dataDirectory === undefined);
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return this.#program.plainUrls[0] ?? '';
  }

  /** `https://127.0.0.1:port` */
  get tlsUrl(): string {
    return this.#program.tlsUrls[0] ?? '';
  }

  get certificateSha256(): string {
    return this.#program.certificateSha256;
  }

  get adminToken(): string {
    return readFileSync(this.#program.adminTokenFile, 'utf8').trim();
  }

  /** A call of the control API with the admin token. @throws Error with the answer when it is no success */
  async api<Body>(path: string, init: { method?: string; body?: unknown } = {}): Promise<Body> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method: init.method ?? 'GET',
      headers: { authorization: `Bearer ${this.adminToken}`, 'content-type': 'application/json' },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${answer.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  async joinToken(hostName?: string): Promise<string> {
    const body = { ttlSeconds: 60, ...(hostName === undefined ? {} : { hostName }) };
    return (await this.api<{ token: string }>('/join-tokens', { method: 'POST', body })).token;
  }

  /** A request to `/v1` as a client on the same machine makes it. */
  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
    });
  }

  /** Stops; the data directory stays when it was handed in, or when a restart is to find it. */
  async close(keepData = false): Promise<void> {
    await this.#program.close();
    if (this.#ownsDirectory && !keepData)
      rmSync(this.dataDirectory, { recursive: true, force: true, maxRetries: 5 });
  }
}
