import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly tookMs: number;
}

/** Speaks to the demo's control plane as its users do: plain HTTP on loopback. */
export class Rest {
  readonly #baseUrl: string;
  readonly #dataDirectory: string;
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends every call */
  constructor(baseUrl: string, dataDirectory: string, signal?: AbortSignal) {
    this.#baseUrl = baseUrl;
    this.#dataDirectory = dataDirectory;
    this.#signal = signal;
  }

  /** A call of the control API, with the admin token. */
  async api<Body>(path: string, init: { method?: string; body?: unknown } = {}): Promise<Body> {
    const token = readFileSync(join(this.#dataDirectory, 'admin.token'), 'utf8').trim();
    const answer = await fetch(`${this.#baseUrl}/api/v1${path}`, {
      method: init.method ?? 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      signal: this.#within(5_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  /** A call of `/v1` as a client without a key makes it. */
  async post(path: string, body: unknown): Promise<GatewayAnswer> {
    const startedAt = performance.now();
    const answer = await fetch(`${this.#baseUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: this.#within(30_000),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, tookMs: performance.now() - startedAt };
  }

  async get(path: string): Promise<GatewayAnswer> {
    const startedAt = performance.now();
    const answer = await fetch(`${this.#baseUrl}${path}`, { signal: this.#within(5_000) });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, tookMs: performance.now() - startedAt };
  }

  async ready(): Promise<boolean> {
    try {
      return (await this.get('/readyz')).status === 200;
    } catch {
      // Not listening yet.
      return false;
    }
  }

  #within(milliseconds: number): AbortSignal {
    const deadline = AbortSignal.timeout(milliseconds);
    return this.#signal === undefined ? deadline : AbortSignal.any([deadline, this.#signal]);
  }
}
