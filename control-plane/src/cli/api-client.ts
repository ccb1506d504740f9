import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { z } from 'zod';
import { problemSchema } from '../api/problem.js';
import { listOf } from '../api/schemas.js';
import { dataDirectoryLayout } from '../config/data-directory-layout.js';
import { ApiExchange, type ExchangeTimeouts, type Method } from './api-exchange.js';
import { CliError, exitCodes } from './exit-codes.js';
import type { DownloadAnswer } from './receive-file.js';
import { PLACES } from './service/service-places.js';

/** What `up` leaves in its data directory, so that the CLI on the same machine needs no flags. */
export const endpointSchema = z.object({
  url: z.string(),
  certificateSha256: z.string(),
  adminTokenFile: z.string(),
  pid: z.int(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

export interface ConnectOptions {
  readonly dataDirectory: string;
  readonly url: string | null;
  readonly certificateSha256: string | null;
  readonly adminTokenFile: string | null;
}

const PAGE_LIMIT = 1_000;
const REQUEST_TIMEOUT_MS = 15_000;
const DOWNLOAD_TIMEOUT_MS = 600_000;
/** An agent is asked first. */
const STREAM_BEGIN_TIMEOUT_MS = 30_000;

/** The CLI's only way in: the public REST API. */
export class ApiClient {
  readonly #endpoint: Omit<Endpoint, 'pid'>;
  readonly #token: string;

  constructor(options: ConnectOptions) {
    this.#endpoint = resolveEndpoint(options);
    this.#token = readToken(this.#endpoint.adminTokenFile);
  }

  /** @param timeoutMs for calls that do much before they answer */
  get<Value>(path: string, schema: z.ZodType<Value>, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Value> {
    return this.#call('GET', path, undefined, schema, timeoutMs);
  }

  /** All items of a listing, page by page. @param path may have a query */
  async list<Item>(path: string, item: z.ZodType<Item>): Promise<Item[]> {
    const all: Item[] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({
        limit: String(PAGE_LIMIT),
        ...(cursor === null ? {} : { cursor }),
      });
      const page: { items: Item[]; nextCursor: string | null } = await this.get(
        `${path}${path.includes('?') ? '&' : '?'}${query}`,
        listOf(item),
      );
      all.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return all;
  }

  /** @param timeoutMs for calls that do much before they answer */
  post<Value>(
    path: string,
    body: unknown,
    schema: z.ZodType<Value>,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<Value> {
    return this.#call('POST', path, body, schema, timeoutMs);
  }

  patch<Value>(path: string, body: unknown, schema: z.ZodType<Value>): Promise<Value> {
    return this.#call('PATCH', path, body, schema);
  }

  put<Value>(path: string, body: unknown, schema: z.ZodType<Value>): Promise<Value> {
    return this.#call('PUT', path, body, schema);
  }

  async delete(path: string): Promise<void> {
    await this.#call('DELETE', path, undefined, z.unknown());
  }

  /** A removal that has something to tell. */
  deleteFor<Value>(path: string, schema: z.ZodType<Value>, timeoutMs: number): Promise<Value> {
    return this.#call('DELETE', path, undefined, schema, timeoutMs);
  }

  /** What may take long to be made, and is no JSON. @param receive is done with the body when it resolves */
  download<Value>(
    path: string,
    body: unknown,
    receive: (answer: DownloadAnswer) => Promise<Value>,
  ): Promise<Value> {
    const timeouts = { headersMs: DOWNLOAD_TIMEOUT_MS, bodyMs: DOWNLOAD_TIMEOUT_MS };
    return this.#ask('POST', path, body, timeouts, async (answer) => {
      const sha256 = answer.headers['x-backup-sha256'];
      return receive({ body: answer, sha256: typeof sha256 === 'string' ? sha256 : null });
    });
  }

  /** What comes piece by piece, for as long as it likes. @param receive is done with the body when it resolves */
  stream(
    method: 'GET' | 'POST',
    path: string,
    content: unknown,
    receive: (body: Readable) => Promise<void>,
  ): Promise<void> {
    const timeouts = { headersMs: STREAM_BEGIN_TIMEOUT_MS, bodyMs: 0 };
    return this.#ask(method, path, content, timeouts, receive);
  }

  #call<Value>(
    method: Method,
    path: string,
    body: unknown,
    schema: z.ZodType<Value>,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<Value> {
    const timeouts = { headersMs: timeoutMs, bodyMs: timeoutMs };
    return this.#ask(method, path, body, timeouts, async (answer) => {
      const text = await textOf(answer);
      return schema.parse(text === '' ? undefined : JSON.parse(text));
    });
  }

  async #ask<Value>(
    method: Method,
    path: string,
    body: unknown,
    timeouts: ExchangeTimeouts,
    read: (answer: IncomingMessage) => Promise<Value>,
  ): Promise<Value> {
    refuseWayUp(path);
    const { url, certificateSha256 } = this.#endpoint;
    const headers = {
      authorization: `Bearer ${this.#token}`,
      'content-type': 'application/json',
      ...(method === 'GET' ? {} : { 'idempotency-key': randomUUID() }),
    };
    let exchange: ApiExchange | null = null;
    try {
      exchange = await ApiExchange.open(url, certificateSha256);
      const content = body === undefined ? null : JSON.stringify(body);
      const request = { method, path: `/api/v1${path}`, headers, body: content };
      const answer = await exchange.ask(request, timeouts);
      const { statusCode = 0 } = answer;
      if (statusCode >= 400) throw refusal(statusCode, await textOf(answer), url);
      return await read(answer);
    } catch (error) {
      throw unreachable(error, url);
    } finally {
      exchange?.close();
    }
  }
}

/** Whoever reads a URL takes a name such as ".." for a step up: a model called "../../host" would remove that host. */
function refuseWayUp(path: string): void {
  const segments = (path.split('?', 1)[0] ?? '').split('/');
  const name = segments.find((segment) => segment === '.' || segment === '..');
  if (name !== undefined) throw new CliError(exitCodes.usage, `"${name}" is no name`);
}

function resolveEndpoint(options: ConnectOptions): Omit<Endpoint, 'pid'> {
  const local = readLocalEndpoint(options.dataDirectory);
  const url = options.url ?? local?.url;
  const adminTokenFile = options.adminTokenFile ?? local?.adminTokenFile;
  if (url === undefined || adminTokenFile === undefined) {
    const { endpointFile } = dataDirectoryLayout(options.dataDirectory);
    const isService = process.getuid?.() !== 0 && existsSync(PLACES.record);
    throw new CliError(
      exitCodes.unreachable,
      `no control plane is known: ${endpointFile} is not there`,
      isService
        ? 'the one that is a service of this machine answers to root: run it with sudo'
        : 'start one with "ai-fabric up", or name one with --data DIR, or with --url and --admin-token-file',
    );
  }
  return {
    url,
    adminTokenFile,
    certificateSha256: options.certificateSha256 ?? local?.certificateSha256 ?? '',
  };
}

function readLocalEndpoint(dataDirectory: string): Endpoint | null {
  try {
    return endpointSchema.parse(
      JSON.parse(readFileSync(dataDirectoryLayout(dataDirectory).endpointFile, 'utf8')),
    );
  } catch {
    // Not there, unreadable or not ours: the flags must then say everything, and the error above names the file.
    return null;
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError(
      exitCodes.refused,
      `cannot read the admin token in ${file}: ${error instanceof Error ? error.message : String(error)}`,
      'run as the user that runs the control plane, or name a copy with --admin-token-file',
    );
  }
}

function refusal(status: number, text: string, url: string): CliError {
  const problem = parseProblem(text);
  if (!problem) return new CliError(exitCodes.failed, `${url} answered ${status}: ${text.slice(0, 200)}`);
  return new CliError(exitCodeOf(problem.status), problem.detail, problem.fix, { code: problem.code });
}

function exitCodeOf(status: number): number {
  if (status === 404) return exitCodes.notFound;
  return status >= 500 ? exitCodes.failed : exitCodes.refused;
}

function parseProblem(text: string): z.infer<typeof problemSchema> | null {
  try {
    return problemSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function unreachable(error: unknown, url: string): unknown {
  if (error instanceof CliError || error instanceof z.ZodError) return error;
  return new CliError(
    exitCodes.unreachable,
    `cannot reach the control plane at ${url}: ${reasonOf(error)}`,
    'is it running? start it with "ai-fabric up"',
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ECONNRESET') return 'the connection broke off';
  return error.message || 'connection refused';
}
