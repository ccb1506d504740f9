import type { Clock } from '@ai-fabric/shared';
import type { Dispatcher } from 'undici';
import type { Deadlines, Expiring } from '../deadlines.js';
import { type AttemptFailure, attemptFailure } from '../decide/attempt-failure.js';
import { classifyError, wasStale } from './classify-error.js';
import type { UpstreamPool } from './upstream-pools.js';

/** An answer's headers, names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Hears of one call. `onAnswerEnd` or `onAnswerFailed` comes last and once, unless the call is aborted: after
 * `abort()` nothing is heard of it any more.
 */
export interface AnswerListener {
  onAnswerStart(status: number, headers: AnswerHeaders): void;
  /** @param atMs when it came, on the monotonic clock */
  onAnswerData(chunk: Buffer, atMs: number): void;
  onAnswerEnd(): void;
  onAnswerFailed(failure: AttemptFailure): void;
  /** The call has been paused for longer than it may. */
  onStalled(): void;
}

export interface CallRequest {
  readonly path: string;
  /** Names and values, alternating. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Milliseconds; `totalAtMs` and a call's `askedAtMs` are points on the monotonic clock. */
export interface CallTimeouts {
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalAtMs: number;
  readonly pausedMs: number;
}

/** One HTTP call to an engine or provider, with its deadlines. */
export class UpstreamCall implements Dispatcher.DispatchHandler, Expiring {
  expiresAtMs: number;
  slot = -1;
  readonly #listener: AnswerListener;
  readonly #request: CallRequest;
  readonly #timeouts: CallTimeouts;
  readonly #target: UpstreamPool;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  #controller: Dispatcher.DispatchController | null = null;
  #state: 'asked' | 'headed' | 'flowing' | 'paused' | 'over' = 'asked';
  #redialled = false;
  #lastDataMs = 0;
  #totalAtMs: number;

  constructor(
    listener: AnswerListener,
    request: CallRequest,
    timeouts: CallTimeouts,
    target: UpstreamPool,
    deadlines: Deadlines,
    clock: Clock,
    askedAtMs: number,
  ) {
    this.#listener = listener;
    this.#request = request;
    this.#timeouts = timeouts;
    this.#target = target;
    this.#deadlines = deadlines;
    this.#clock = clock;
    this.#totalAtMs = timeouts.totalAtMs;
    this.expiresAtMs = Math.min(askedAtMs + timeouts.firstByteMs, timeouts.totalAtMs);
    target.openCalls++;
    deadlines.watch(this);
  }

  /** Sends the request. May tell the listener of a failure before it returns. */
  send(): void {
    const { path, headers, body } = this.#request;
    this.#target.pool.dispatch({ path, method: 'POST', headers: headers as string[], body }, this);
  }

  /** Ends the call at once; the engine sees its client gone. Does nothing when it is over. */
  abort(): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.#controller?.abort(new Error('aborted by the gateway'));
  }

  /** Stops reading until `resume`, for a client that reads more slowly than the engine writes. */
  pause(): void {
    if (this.#state === 'paused' || this.#state === 'over') return;
    this.#state = 'paused';
    this.#controller?.pause();
    this.expiresAtMs = Math.min(this.#clock.monotonicMs() + this.#timeouts.pausedMs, this.#totalAtMs);
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#flow(this.#clock.monotonicMs());
    this.#controller?.resume();
  }

  /** Bounds the rest of the answer, for one that is not worth its usual time. */
  endWithin(ms: number): void {
    this.#totalAtMs = Math.min(this.#totalAtMs, this.#clock.monotonicMs() + ms);
    this.expiresAtMs = Math.min(this.expiresAtMs, this.#totalAtMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while it waited for a connection.
    if (this.#state === 'over') controller.abort(new Error('aborted by the gateway'));
  }

  onResponseStart(_controller: unknown, status: number, headers: AnswerHeaders): void {
    if (this.#state !== 'asked' || status < 200) return;
    this.#state = 'headed';
    this.#listener.onAnswerStart(status, headers);
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#state === 'over') return;
    const nowMs = this.#clock.monotonicMs();
    if (this.#state === 'headed') this.#flow(nowMs);
    else this.#lastDataMs = nowMs;
    this.#listener.onAnswerData(chunk, nowMs);
  }

  onResponseEnd(): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.#listener.onAnswerEnd();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#state === 'over') return;
    if (this.#state === 'asked' && !this.#redialled && wasStale(error)) {
      this.#redialled = true;
      this.#controller = null;
      this.send();
      return;
    }
    this.#fail(classifyError(error, this.#state !== 'asked'));
  }

  onExpired(nowMs: number): void {
    if (nowMs >= this.#totalAtMs) {
      this.#expire(attemptFailure('total_timeout', 'the total deadline passed'));
    } else if (this.#state === 'paused') {
      this.#listener.onStalled();
    } else if (this.#state === 'flowing') {
      // Chunks move only `#lastDataMs`; whether the stream is idle is found out here.
      const idleAtMs = this.#lastDataMs + this.#timeouts.idleMs;
      if (idleAtMs > nowMs) this.expiresAtMs = Math.min(idleAtMs, this.#totalAtMs);
      else this.#expire(attemptFailure('idle_timeout', `no data for ${this.#timeouts.idleMs} ms`));
    } else {
      this.#expire(attemptFailure('first_byte_timeout', `no data within ${this.#timeouts.firstByteMs} ms`));
    }
  }

  #flow(nowMs: number): void {
    this.#state = 'flowing';
    this.#lastDataMs = nowMs;
    this.expiresAtMs = Math.min(nowMs + this.#timeouts.idleMs, this.#totalAtMs);
  }

  #expire(failure: AttemptFailure): void {
    this.abort();
    this.#listener.onAnswerFailed(failure);
  }

  #fail(failure: AttemptFailure): void {
    this.#leave();
    this.#listener.onAnswerFailed(failure);
  }

  #leave(): void {
    this.#state = 'over';
    this.#target.openCalls--;
    this.#deadlines.unwatch(this);
  }
}
