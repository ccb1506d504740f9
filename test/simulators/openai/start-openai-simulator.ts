import type { IncomingMessage, ServerResponse } from 'node:http';
import { begin, sendJson, type WireFaults } from '../common/reply-writer.js';
import { type RecordedRequest, RequestRecord, readBodyText } from '../common/request-record.js';
import { StoppableServer } from '../common/stoppable-server.js';
import {
  answerChat,
  answerCompletion,
  answerEmbeddings,
  answerHeaders,
  answerModels,
  answerResponses,
  type OpenAiExchange,
} from './answers.js';
import { missingKey, OpenAiError, quotaExceeded, rateLimited, serverError, wrongKey } from './errors.js';
import { type OpenAiSettings, type OpenAiSimulatorOptions, resolveOpenAiOptions } from './options.js';
import { RateLimit } from './rate-limit.js';

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

/** What goes wrong, for the next `times` requests or until it is cleared. */
export type OpenAiFault = { readonly times?: number } & (
  | { readonly kind: 'rateLimited'; readonly retryAfterSeconds: number }
  | { readonly kind: 'quotaExceeded' }
  | { readonly kind: 'serverError'; readonly status: number }
  | { readonly kind: 'html' }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'stopMidStream'; readonly afterChunks: number }
  | { readonly kind: 'truncateJson' }
);

/** OpenAI's API without OpenAI. */
export interface OpenAiSimulator {
  /** What a provider's base URL is: `http://host:port/v1`. */
  readonly baseUrl: string;
  readonly port: number;
  /** The latest requests, oldest first, refused ones included: proof of whether and what was sent. */
  readonly requests: readonly RecordedRequest[];
  readonly inFlight: number;
  fault(fault: OpenAiFault | null): void;
  forgetRequests(): void;
  /** Refuses connections, as a provider does that the internet does not reach. */
  disconnect(): Promise<void>;
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

/** @throws the system's error when the port is taken */
export async function startOpenAiSimulator(options: OpenAiSimulatorOptions): Promise<OpenAiSimulator> {
  const simulator = new OpenAiServer(resolveOpenAiOptions(options));
  await simulator.reconnect();
  return simulator;
}

type Answer = (exchange: OpenAiExchange) => Promise<void>;
const ROUTES: Readonly<Record<string, Answer>> = {
  'GET /v1/models': answerModels,
  'POST /v1/chat/completions': answerChat,
  'POST /v1/completions': answerCompletion,
  'POST /v1/embeddings': answerEmbeddings,
  'POST /v1/responses': answerResponses,
};

class OpenAiServer implements OpenAiSimulator {
  readonly #settings: OpenAiSettings;
  readonly #server: StoppableServer;
  readonly #record: RequestRecord;
  readonly #limit: RateLimit;
  readonly #stored = new Set<string>();
  #fault: OpenAiFault | null = null;
  #faultsLeft = 0;
  #inFlight = 0;

  constructor(settings: OpenAiSettings) {
    this.#settings = settings;
    this.#record = new RequestRecord(settings.recordLimit);
    this.#limit = new RateLimit(settings.clock, settings);
    this.#server = new StoppableServer((request, response) => void this.#handle(request, response), settings);
  }

  get baseUrl(): string {
    return `http://${this.#settings.host}:${this.#server.port}/v1`;
  }
  get port(): number {
    return this.#server.port;
  }
  get requests(): readonly RecordedRequest[] {
    return this.#record.all;
  }
  get inFlight(): number {
    return this.#inFlight;
  }

  fault(fault: OpenAiFault | null): void {
    this.#fault = fault;
    this.#faultsLeft = fault?.times ?? Number.POSITIVE_INFINITY;
  }

  forgetRequests(): void {
    this.#record.clear();
  }

  disconnect(): Promise<void> {
    return this.#server.stop();
  }

  reconnect(): Promise<void> {
    return this.#server.start();
  }

  close(): Promise<void> {
    return this.#server.stop();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The peer may vanish at any moment; what it did not read is nobody's error here.
    response.on('error', () => {});
    this.#inFlight += 1;
    response.once('close', () => {
      this.#inFlight -= 1;
    });
    const bodyText = await readBodyText(request, BODY_LIMIT_BYTES).catch(() => '');
    if (bodyText === null) return;
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const { method = '', headers } = request;
    this.#record.add({ atMs: this.#settings.clock.nowMs(), method, path, headers, bodyText });
    try {
      await this.#answer(`${method} ${path}`, request, response, bodyText);
    } catch (error) {
      const refusal = error instanceof OpenAiError ? error : serverError(500);
      if (response.headersSent) response.destroy();
      else {
        const all = { ...answerHeaders(this.#settings, this.#limit), ...refusal.headers };
        await sendJson(response, refusal.status, refusal.body, { headers: all });
      }
    }
  }

  async #answer(
    route: string,
    request: IncomingMessage,
    response: ServerResponse,
    bodyText: string,
  ): Promise<void> {
    this.#checkKey(request.headers.authorization);
    const fault = this.#takeFault();
    if (fault?.kind === 'rateLimited') throw rateLimited('requests', fault.retryAfterSeconds);
    if (fault?.kind === 'quotaExceeded') throw quotaExceeded();
    if (fault?.kind === 'serverError') throw serverError(fault.status);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'html') {
      begin(response, 200, { 'content-type': 'text/html' });
      response.end('<!DOCTYPE html><html><body>Sign in to the hotel network</body></html>');
      return;
    }
    const answer = ROUTES[route];
    if (!answer) throw new OpenAiError(404, `Invalid URL (${route})`, { type: 'invalid_request_error' });
    const { limit, settings } = { limit: this.#limit, settings: this.#settings };
    await answer({
      settings,
      limit,
      stored: this.#stored,
      request,
      response,
      bodyText,
      faults: wireFaults(fault),
    });
  }

  #checkKey(authorization: string | undefined): void {
    const key = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    if (key === undefined) throw missingKey();
    if (key !== this.#settings.apiKey) throw wrongKey(key);
  }

  #takeFault(): OpenAiFault | null {
    const fault = this.#fault;
    this.#faultsLeft -= 1;
    if (this.#faultsLeft <= 0) this.#fault = null;
    return fault;
  }
}

function wireFaults(fault: OpenAiFault | null): WireFaults {
  if (fault?.kind === 'stopMidStream') return { cutAfterEvents: fault.afterChunks };
  return fault?.kind === 'truncateJson' ? { truncate: true } : {};
}
