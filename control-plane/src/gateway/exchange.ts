import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyCapture } from '../bodies/capture-body.js';
import type { RequestOutcome } from '../registry/request-types.js';
import { accountExchange } from './account-exchange.js';
import { describeLimit } from './admission/decide/describe-limit.js';
import type { Reservation } from './admission/key-limiter.js';
import { type AnswerFacts, answerHead, answerJson, EVENT_STREAM, NO_TARGET } from './answer-now.js';
import { answerRefusal } from './answer-refusal.js';
import { AttemptLoop, type LoopOwner } from './attempt-loop.js';
import { type RequestBody, SpooledBody } from './body/spooled-body.js';
import { type BodyListener, BodyReader } from './body-reader.js';
import type { Expiring } from './deadlines.js';
import type { AttemptFailure } from './decide/attempt-failure.js';
import type { Refusal } from './decide/describe-refusal.js';
import {
  ERROR_TABLE,
  type ErrorFields,
  errorFields,
  type GatewayError,
  gatewayError,
  renderComment,
} from './decide/error-table.js';
import { isCheck } from './decide/is-check.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import type { NormalisedError } from './decide/normalise-engine-error.js';
import type { Usage } from './decide/read-usage.js';
import { type RequestEvent, type RequestPhase, stepRequest } from './decide/step-request.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';
import type { GatewayParts } from './gateway-parts.js';
import { linger } from './linger.js';
import { BODY_REFUSAL_HEADERS, KEY_HEADERS, SHUTDOWN_HEADERS } from './refusal-headers.js';
import type { RequestContext } from './request-context.js';
import { takeRequest } from './take-request.js';
import type { Deferrable } from './turn-share.js';

/** One request to an engine's endpoint, from its first byte to its last. */
export class Exchange implements BodyListener, LoopOwner, Expiring, Deferrable {
  /** Of the client's reading, once all is written. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  slot = -1;
  /** Its place among the gateway's open ones. */
  openSlot = -1;
  withholdUsage = true;
  choices = 1;
  readonly response: ServerResponse;
  readonly #request: IncomingMessage;
  readonly #context: RequestContext;
  readonly endpoint: EngineEndpoint;
  readonly #parts: GatewayParts;
  readonly #onOver: (exchange: Exchange) => void;
  readonly #reader: BodyReader;
  readonly #startedAtMs: number;
  /** It came while another on its connection was still to be answered. */
  readonly #isPipelined: boolean;
  #phase: RequestPhase = 'reading';
  /** Whole, until it is looked at. */
  #body: RequestBody | null = null;
  #readyAtMs = 0;
  #loop: AttemptLoop | null = null;
  #role = '';
  #isStream = false;
  #usage: Usage | null = null;
  #reservation: Reservation | null = null;
  readonly #capture: BodyCapture | null;
  /** Of a large body, what the capture has had of it. */
  #headBytes = 0;
  /** The log has its line of this request. */
  #isTold = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
    endpoint: EngineEndpoint,
    parts: GatewayParts,
    onOver: (exchange: Exchange) => void,
  ) {
    this.#request = request;
    this.response = response;
    this.#context = context;
    this.endpoint = endpoint;
    this.#parts = parts;
    this.#onOver = onOver;
    this.#startedAtMs = parts.clock.monotonicMs();
    this.#isPipelined = response.socket === null;
    const { requestId, key } = context;
    this.#capture = key.keepsBodies ? parts.captureBody(response, { requestId, keyId: key.keyId }) : null;
    this.#reader = new BodyReader(
      request,
      this,
      endpoint.body === 'multipart' ? parts.formLimits : parts.bodyLimits,
      parts.heldBytes,
      parts.deadlines,
      parts.clock,
      parts.largeBodies,
      endpoint.body,
    );
  }

  get keyId(): string {
    return this.#context.key.keyId;
  }

  /** It waits for a target. */
  get isHeld(): boolean {
    return this.#loop?.isHeld === true;
  }

  get isHeard(): boolean {
    return this.#capture !== null;
  }

  get requestId(): string {
    return this.#context.requestId;
  }

  start(): void {
    this.#parts.metrics.openRequests++;
    this.response.on('close', this.#onClose);
    if (this.#isPipelined) this.#parts.connectionEnds.watch(this.#request.socket, this.#onClose);
    if (this.#reader.start()) this.#letSend();
  }

  onLargeBody(head: Buffer): void {
    this.#capture?.requestBody(head);
    this.#headBytes = head.length;
  }

  onBody(body: RequestBody): void {
    if (body instanceof SpooledBody) this.#capture?.requestRest(body.receivedBytes - this.#headBytes);
    else this.#capture?.requestBody(body);
    this.#body = body;
    this.#readyAtMs = this.#parts.clock.monotonicMs();
    this.#parts.turnShare.take(this);
  }

  /** Its body is there, and it is its turn. */
  proceed(): void {
    const body = this.#body;
    this.#body = null;
    // Its client may have left, or the gateway ended, meanwhile.
    if (body === null || !this.#step('body_read')) return;
    try {
      this.#read(body);
    } catch (error) {
      this.onDefect(error);
    }
  }

  onBodyRefused(error: GatewayError): void {
    const { status } = ERROR_TABLE[error.code];
    const outcome = status < 500 ? 'client_error' : 'refused';
    this.#answerError(
      errorFields(error),
      status,
      error.code,
      outcome,
      BODY_REFUSAL_HEADERS[error.code] ?? [],
    );
  }

  onRefused(refusal: Refusal): void {
    const ofCheck = isCheck(this.#request.headers, this.#context.key);
    const { error, status, outcome, headers } = answerRefusal(refusal, this.#loop?.attempts ?? null, ofCheck);
    this.#answerError(error, status, refusal.reason, outcome, headers);
  }

  onClientError(error: NormalisedError): void {
    if (error.code !== 'context_length_exceeded') this.#answerClientError(error);
    else if (this.#step('attempt_failed')) this.#loop?.tooLong(error);
  }

  onTooLong(error: NormalisedError): void {
    this.#answerClientError(error);
  }

  #answerClientError(error: NormalisedError): void {
    this.#answerError(error, error.status, error.code ?? 'invalid_request', 'client_error', []);
  }

  onAttemptFailed(failure: AttemptFailure): void {
    if (this.#step('attempt_failed')) this.#loop?.failed(failure);
  }

  /** A held stream: the comment keeps it alive, and its first one sends the head. Whatever comes of it comes as an event. */
  onSilence(text: string): void {
    if (this.#phase !== 'asking') return;
    if (!this.response.headersSent) this.#sendHead(EVENT_STREAM, null, 'held', 0);
    this.response.write(renderComment(text));
  }

  onCommitted(contentType: string, contentLength: number | null, ownMs: number): void {
    if (!this.#step('committed')) return;
    this.#reader.release();
    this.#loop?.dropBody();
    if (this.response.headersSent) {
      const { replica = NO_TARGET, host = NO_TARGET, queueMs = 0 } = this.#loop ?? {};
      this.response.write(
        renderComment(`served by ${replica} on ${host} after ${Math.round(queueMs / 1000)} s`),
      );
      return;
    }
    this.#sendHead(contentType, contentLength, this.#loop?.reason ?? '', ownMs);
  }

  #sendHead(contentType: string, contentLength: number | null, reason: string, ownMs: number): void {
    const head = answerHead(this.#facts(reason, ownMs), contentType, contentLength);
    head.push(...this.#limitHeaders());
    this.response.writeHead(200, head);
  }

  onSucceeded(usage: Usage | null, answerId: string | null): void {
    this.#usage = usage;
    if (answerId !== null) this.#parts.responseHolders.note(answerId, this.#loop?.target ?? '');
    if (this.#step('finished')) this.#finish('ok', this.#loop?.reason ?? '', 200);
  }

  onInterrupted(code: string): void {
    if (this.#step('interrupted')) this.#finish('interrupted', code, 200);
  }

  /** It has read nothing for too long: closing its connection frees the engine. */
  onClientStalled(): void {
    // A pipelined one may have no connection yet: then it is the one before it that is not read.
    (this.response.socket ?? this.#request.socket).destroy();
  }

  onDefect(error: unknown): void {
    this.#isTold = true;
    this.#parts.failureLog.defect(this.#context.requestId, error);
    this.#loop?.attempt?.cancel();
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    const told = gatewayError(
      'internal',
      `The gateway failed; its log tells why, under ${this.#context.requestId}.`,
    );
    this.#answerError(errorFields(told), 500, 'internal', 'failed', []);
  }

  /**
   * All is written, and still not all of it taken. From here on the socket's own timer decides: it knows a client that
   * reads slowly from one that does not read.
   */
  onExpired(): void {
    this.#parts.deadlines.unwatch(this);
    this.response.setTimeout(GATEWAY_LIMITS.clientStallMs, () => this.response.destroy());
  }

  /** The gateway is to end: where the answer has not begun, it tells the client to come back on a new connection. */
  endConnection(): void {
    if (!this.response.headersSent) this.response.setHeader('connection', 'close');
  }

  /** The gateway ends: a stream is ended with an error event, a request without an answer is refused. */
  shutDown(): void {
    const error = gatewayError('shutting_down', 'The gateway is shutting down; come again in a few seconds.');
    this.#endEarly(error, 'refused', SHUTDOWN_HEADERS);
  }

  /** Its key is good no more: a stream ends with an error event, a request without an answer is refused. */
  keyRevoked(): void {
    const error = gatewayError('key_revoked', 'This API key was revoked while the request was under way.');
    this.#endEarly(error, 'client_error', KEY_HEADERS);
  }

  #endEarly(error: GatewayError, outcome: RequestOutcome, headers: readonly string[]): void {
    const { attempt } = this.#loop ?? { attempt: null };
    if (this.#step('interrupted')) {
      this.#finish('interrupted', error.code, 200);
      attempt?.breakOff(error);
    } else if (this.#phase !== 'done') {
      attempt?.cancel();
      this.#answerError(errorFields(error), ERROR_TABLE[error.code].status, error.code, outcome, headers);
    }
  }

  /** A client that asks before it sends is told first what would be refused whatever it sends. */
  #letSend(): void {
    const { key } = this.#context;
    const reserved = this.#parts.keyLimiter.reserve(key, 0);
    if ('limit' in reserved) {
      this.onRefused(describeLimit(key.name, reserved));
      return;
    }
    reserved.giveBack();
    this.response.writeContinue();
  }

  #read(body: RequestBody): void {
    const taken = takeRequest(this.#parts, body, this.#request.headers, this.#context, this.endpoint);
    if (taken.request !== null) {
      const { role, peeked } = taken.request;
      this.#role = role;
      this.#isStream = peeked.stream;
      this.withholdUsage = !peeked.wantsUsage;
      this.choices = peeked.choices;
    }
    if (!taken.ok) {
      this.onRefused(taken.refusal);
      return;
    }
    this.#reservation = taken.reservation;
    this.#loop = new AttemptLoop(this.#parts, taken.request, this, taken.body, this.#readyAtMs);
    this.#loop.next();
  }

  #answerError(
    error: ErrorFields,
    status: number,
    reason: string,
    outcome: RequestOutcome,
    headers: readonly string[],
  ): void {
    if (!this.#step('answered')) return;
    this.#reader.release();
    const { clock, deadlines } = this.#parts;
    if (!this.#request.complete) linger(this.#request, deadlines, clock, GATEWAY_LIMITS.lingerMs);
    const { errors } = this.endpoint.dialect;
    if (this.response.headersSent) {
      this.#finish(outcome, reason, 200);
      this.response.end(errors.event(error, status, this.requestId, 0));
      return;
    }
    this.#finish(outcome, reason, status);
    answerJson(this.response, status, errors.whole(error, status, this.requestId), this.#facts(reason, 0), [
      ...headers,
      ...this.#limitHeaders(),
    ]);
  }

  #limitHeaders(): readonly string[] {
    return this.#parts.keyLimiter.headers(this.#context.key);
  }

  #facts(reason: string, ownMs: number): AnswerFacts {
    const loop = this.#loop;
    return {
      requestId: this.#context.requestId,
      corsHeaders: this.#context.corsHeaders,
      host: loop?.host ?? NO_TARGET,
      replica: loop?.replica ?? NO_TARGET,
      attempts: loop?.attempts ?? 0,
      overheadMs: (loop?.overheadMs ?? 0) + ownMs,
      queueMs: loop?.queueMs ?? 0,
      reason,
    };
  }

  /** @returns whether the event has a place in this phase; else it comes too late, and is to be ignored */
  #step(event: RequestEvent): boolean {
    const next = stepRequest(this.#phase, event);
    if (next === null) return false;
    this.#phase = next;
    return true;
  }

  /** @param status as it was sent, if it was */
  #finish(outcome: RequestOutcome, reason: string, status: number | null): void {
    const { clock, deadlines } = this.#parts;
    this.#loop?.leaveQueue();
    const endedAtMs = clock.monotonicMs();
    this.expiresAtMs = endedAtMs + GATEWAY_LIMITS.clientStallMs;
    deadlines.watch(this);
    accountExchange(this.#parts, {
      context: this.#context,
      role: this.#role,
      endpoint: this.endpoint.path,
      stream: this.#isStream,
      outcome,
      reason,
      status,
      usage: this.#usage,
      reservation: this.#reservation,
      capture: this.#capture,
      loop: this.#loop,
      isTold: this.#isTold,
      startedAtMs: this.#startedAtMs,
      endedAtMs,
    });
  }

  /** The response is over: sent whole, or its client is gone. */
  readonly #onClose = (): void => {
    const phase = this.#phase;
    if (this.#step('client_gone')) {
      this.#finish('client_gone', `left_while_${phase}`, this.response.headersSent ? 200 : null);
      this.#loop?.attempt?.cancel();
    }
    this.#parts.deadlines.unwatch(this);
    if (this.#isPipelined) this.#parts.connectionEnds.unwatch(this.#request.socket, this.#onClose);
    this.#reader.release();
    this.#onOver(this);
  };
}
