import type { IncomingMessage, ServerResponse } from 'node:http';
import { begin, sendJson, wasCutHere } from '../common/reply-writer.js';
import { type RecordedRequest, RequestRecord, readBody } from '../common/request-record.js';
import { answerTranscription, answerTranslation } from './answer-audio.js';
import { answerEmbeddings } from './answer-embeddings.js';
import { answerHealth, answerMetrics, answerModels, answerTokenize, answerVersion } from './answer-engine.js';
import { answerChat, answerCompletion } from './answer-generation.js';
import { answerMessages, answerTokenCount } from './answer-messages.js';
import { answerResponses } from './answer-responses.js';
import { answerRerank, answerScore } from './answer-scores.js';
import { answerIsSleeping, answerSleep, answerWakeUp } from './answer-sleep.js';
import type { Engine } from './engine.js';
import { engineDead, errorBody, messageError, overloaded, type VllmError } from './errors.js';
import { FaultSlot, INFERENCE_PATHS, type RequestFault, type VllmFault, vllmFaultSchema } from './faults.js';
import type { VllmSettings } from './options.js';
import { asVllmError, type Exchange } from './serving.js';

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
/** The private path by which a program of its own (the demo) breaks a simulator from outside. */
const CONTROL_PATH = '/simulator/fault';

const ROUTES: Readonly<Record<string, { method: string; answer: (exchange: Exchange) => Promise<void> }>> = {
  '/health': { method: 'GET', answer: answerHealth },
  '/version': { method: 'GET', answer: answerVersion },
  '/metrics': { method: 'GET', answer: answerMetrics },
  '/v1/models': { method: 'GET', answer: answerModels },
  '/v1/chat/completions': { method: 'POST', answer: answerChat },
  '/v1/completions': { method: 'POST', answer: answerCompletion },
  '/v1/embeddings': { method: 'POST', answer: answerEmbeddings },
  '/v1/responses': { method: 'POST', answer: answerResponses },
  '/v1/messages': { method: 'POST', answer: answerMessages },
  '/v1/messages/count_tokens': { method: 'POST', answer: answerTokenCount },
  '/v1/audio/transcriptions': { method: 'POST', answer: answerTranscription },
  '/v1/audio/translations': { method: 'POST', answer: answerTranslation },
  '/v1/rerank': { method: 'POST', answer: answerRerank },
  '/v1/score': { method: 'POST', answer: answerScore },
  '/tokenize': { method: 'POST', answer: answerTokenize },
};

/** Only in the dev mode, and then for whoever reaches them. */
const SLEEP_ROUTES: typeof ROUTES = {
  '/sleep': { method: 'POST', answer: answerSleep },
  '/wake_up': { method: 'POST', answer: answerWakeUp },
  '/is_sleeping': { method: 'GET', answer: answerIsSleeping },
};

/** The HTTP side of an engine: routes, faults, the record, and the count of what is in flight. */
export class VllmHttp {
  readonly faults = new FaultSlot();
  readonly record: RequestRecord;
  inFlight = 0;
  /** Inference requests whose client hung up before the end of the answer. */
  aborted = 0;
  /** The process is killed or closing: its cut connections are no aborts. */
  down = false;
  readonly #settings: VllmSettings;
  readonly #engine: () => Engine;
  readonly #applyFault: (fault: VllmFault) => Promise<void>;

  constructor(settings: VllmSettings, engine: () => Engine, applyFault: (fault: VllmFault) => Promise<void>) {
    this.#settings = settings;
    this.#engine = engine;
    this.#applyFault = applyFault;
    this.record = new RequestRecord(settings.recordLimit);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    // The peer may vanish at any moment; what it did not read is nobody's error here.
    response.on('error', () => {});
    const body = await readBody(request, BODY_LIMIT_BYTES).catch(() => Buffer.alloc(0));
    if (body === null) return;
    const bodyText = body.toString('utf8');
    if (path === CONTROL_PATH) return this.#control(bodyText, response);
    this.record.add(this.#recorded(request, path, bodyText));
    if (INFERENCE_PATHS.includes(path)) this.#count(response);
    const engine = this.#engine();
    const fault = this.faults.take(path);
    const exchange = { settings: this.#settings, engine, request, response, bodyText, body, fault };
    try {
      if (await answerFault(exchange)) return;
      await this.#route(path, exchange);
    } catch (error) {
      const refusal = asVllmError(error);
      if (response.headersSent) response.destroy();
      else await sendJson(response, refusal.status, errorOf(refusal, path, this.#settings.flatErrors));
    }
  }

  async #route(path: string, exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const route = ROUTES[path] ?? (this.#settings.sleepMode ? SLEEP_ROUTES[path] : undefined);
    if (this.#settings.apiKey !== null && path.startsWith('/v1')) {
      if (request.headers.authorization !== `Bearer ${this.#settings.apiKey}`) {
        return sendJson(response, 401, { error: 'Unauthorized' });
      }
    }
    if (!route) return sendJson(response, 404, { detail: 'Not Found' });
    if (request.method !== route.method) return sendJson(response, 405, { detail: 'Method Not Allowed' });
    const { dead, asleep } = exchange.engine;
    if ((dead || asleep) && INFERENCE_PATHS.includes(path)) throw engineDead();
    return route.answer(exchange);
  }

  #count(response: ServerResponse): void {
    this.inFlight += 1;
    response.once('close', () => {
      this.inFlight -= 1;
      if (!response.writableEnded && !this.down && !wasCutHere(response)) this.aborted += 1;
    });
  }

  async #control(bodyText: string, response: ServerResponse): Promise<void> {
    try {
      const fault = vllmFaultSchema.parse(JSON.parse(bodyText));
      if (fault.kind !== 'crash') await this.#applyFault(fault);
      await sendJson(response, 200, { fault: fault.kind });
      if (fault.kind === 'crash') response.once('close', () => void this.#applyFault(fault));
    } catch (error) {
      await sendJson(response, 400, { error: `not a fault of this simulator: ${String(error)}` });
    }
  }

  #recorded(request: IncomingMessage, path: string, bodyText: string): RecordedRequest {
    const { method = '', headers } = request;
    return { atMs: this.#settings.clock.nowMs(), method, path, headers, bodyText };
  }
}

function errorOf(error: VllmError, path: string, flat: boolean): object {
  return path.startsWith('/v1/messages') ? messageError(error) : errorBody(error, flat);
}

/** Answers in the engine's stead where a fault says so. @returns whether it did */
async function answerFault(exchange: Exchange): Promise<boolean> {
  const { fault, response } = exchange;
  if (!fault) return false;
  const page = PAGES[fault.kind];
  if (page) {
    begin(response, page.status, { 'content-type': 'text/html', 'content-length': String(page.text.length) });
    response.end(page.text);
    return true;
  }
  if (fault.kind === 'redirect') {
    begin(response, 302, { location: fault.location, 'content-length': '0' });
    response.end();
    return true;
  }
  if (fault.kind === 'never') return true;
  if (fault.kind === 'status503') throw overloaded('The server is overloaded, please try again later.');
  if (fault.kind === 'status500') throw engineDead();
  return false;
}

const PAGES: Partial<Record<RequestFault['kind'], { status: number; text: string }>> = {
  html: { status: 200, text: '<!DOCTYPE html><html><body><h1>Welcome to your router</h1></body></html>' },
  badGateway: {
    status: 502,
    text: '<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>',
  },
};
