import type { Clock } from '@ai-fabric/shared';
import type { Dispatcher } from 'undici';
import { classifyError, wasStale } from './classify-error.js';
import type { UndiciPool } from './undici-pool.js';
import {
  type AnswerHeaders,
  type AnswerListener,
  type CallRequest,
  type CallTerms,
  UpstreamCall,
} from './upstream-call.js';

/** A goodbye that crossed the question comes so soon after it; with TLS a connection is made first. */
const CROSSED_MS = 500;

/** One call over connections with TLS. */
export class UndiciCall extends UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #request: CallRequest;
  readonly #target: UndiciPool;
  readonly #clock: Clock;
  #controller: Dispatcher.DispatchController | null = null;
  #redialled = false;
  #sentAtMs = 0;

  constructor(listener: AnswerListener, request: CallRequest, terms: CallTerms, target: UndiciPool) {
    super(listener, terms);
    this.#request = request;
    this.#target = target;
    this.#clock = terms.clock;
    target.openCalls++;
  }

  send(): void {
    const { path, headers, body } = this.#request;
    this.#sentAtMs = this.#clock.monotonicMs();
    const isWhole = body instanceof Uint8Array;
    const sent = isWhole ? headers : [...headers, 'content-length', String(body.length)];
    this.#target.pool.dispatch(
      { path, method: 'POST', headers: sent as string[], body: isWhole ? body : body.open() },
      this,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while it waited for a connection.
    if (this.isOver) this.cutOff();
  }

  onResponseStart(_controller: unknown, status: number, headers: AnswerHeaders): void {
    this.headCame(status, headers);
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.dataCame(chunk);
  }

  onResponseEnd(): void {
    this.endCame();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.isOver) return;
    const hasCrossed = this.#clock.monotonicMs() - this.#sentAtMs <= CROSSED_MS;
    if (this.isAsked && !this.#redialled && hasCrossed && wasStale(error)) {
      this.#redialled = true;
      this.#controller = null;
      this.send();
      return;
    }
    this.fail(classifyError(error, !this.isAsked));
  }

  protected cutOff(): void {
    this.#controller?.abort(new Error('aborted by the gateway'));
  }

  protected stopReading(): void {
    this.#controller?.pause();
  }

  protected startReading(): void {
    this.#controller?.resume();
  }

  protected override onOver(): void {
    this.#target.openCalls--;
  }
}
