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

/** One call over connections with TLS. */
export class UndiciCall extends UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #request: CallRequest;
  readonly #target: UndiciPool;
  #controller: Dispatcher.DispatchController | null = null;
  #redialled = false;

  constructor(listener: AnswerListener, request: CallRequest, terms: CallTerms, target: UndiciPool) {
    super(listener, terms);
    this.#request = request;
    this.#target = target;
    target.openCalls++;
  }

  send(): void {
    const { path, headers, body } = this.#request;
    this.#target.pool.dispatch({ path, method: 'POST', headers: headers as string[], body }, this);
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
    if (this.isAsked && !this.#redialled && wasStale(error)) {
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
