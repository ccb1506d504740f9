import type { Clock, HttpHeaders } from '@ai-fabric/shared';
import type { BodySource } from '../body/body-source.js';
import type { Deadlines, Expiring } from '../deadlines.js';
import { type AttemptFailure, attemptFailure } from '../decide/attempt-failure.js';

/** An answer's headers, names in lower case. */
export type AnswerHeaders = HttpHeaders;

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
  readonly body: CallBody;
}

/** In one piece, or read as it is sent. */
export type CallBody = Uint8Array | BodySource;

/** Milliseconds; `totalAtMs` and a call's `askedAtMs` are points on the monotonic clock. */
export interface CallTimeouts {
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalAtMs: number;
  readonly pausedMs: number;
}

/** What a call is made under. */
export interface CallTerms {
  readonly timeouts: CallTimeouts;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly askedAtMs: number;
}

/** The deadlines of one call, and what its listener hears; how bytes come and go is a transport's. */
export abstract class UpstreamCall implements Expiring {
  expiresAtMs: number;
  slot = -1;
  readonly #listener: AnswerListener;
  readonly #timeouts: CallTimeouts;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  #state: 'asked' | 'headed' | 'flowing' | 'paused' | 'over' = 'asked';
  #lastDataMs = 0;
  #totalAtMs: number;

  constructor(listener: AnswerListener, { timeouts, deadlines, clock, askedAtMs }: CallTerms) {
    this.#listener = listener;
    this.#timeouts = timeouts;
    this.#deadlines = deadlines;
    this.#clock = clock;
    this.#totalAtMs = timeouts.totalAtMs;
    this.expiresAtMs = Math.min(askedAtMs + timeouts.firstByteMs, timeouts.totalAtMs);
    deadlines.watch(this);
  }

  /** Sends the request. May tell the listener of a failure before it returns. */
  abstract send(): void;

  /** Ends what the transport has of it. Nothing that comes of it is told. */
  protected abstract cutOff(): void;
  protected abstract stopReading(): void;
  protected abstract startReading(): void;
  /** It is over, however it ended. Called once. */
  protected onOver(): void {}

  /** Ends the call at once; the engine sees its client gone. Does nothing when it is over. */
  abort(): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.cutOff();
  }

  /** Stops reading until `resume`, for a client that reads more slowly than the engine writes. */
  pause(): void {
    if (this.#state === 'paused' || this.#state === 'over') return;
    this.#state = 'paused';
    this.stopReading();
    this.expiresAtMs = Math.min(this.#clock.monotonicMs() + this.#timeouts.pausedMs, this.#totalAtMs);
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#flow(this.#clock.monotonicMs());
    this.startReading();
  }

  /** Bounds the rest of the answer, for one that is not worth its usual time. */
  endWithin(ms: number): void {
    this.#totalAtMs = Math.min(this.#totalAtMs, this.#clock.monotonicMs() + ms);
    this.expiresAtMs = Math.min(this.expiresAtMs, this.#totalAtMs);
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

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** Nothing of an answer has come. */
  protected get isAsked(): boolean {
    return this.#state === 'asked';
  }

  protected headCame(status: number, headers: AnswerHeaders): void {
    if (this.#state !== 'asked' || status < 200) return;
    this.#state = 'headed';
    this.#listener.onAnswerStart(status, headers);
  }

  protected dataCame(chunk: Buffer): void {
    if (this.#state === 'over') return;
    const nowMs = this.#clock.monotonicMs();
    if (this.#state === 'headed') this.#flow(nowMs);
    else this.#lastDataMs = nowMs;
    this.#listener.onAnswerData(chunk, nowMs);
  }

  protected endCame(): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.#listener.onAnswerEnd();
  }

  protected fail(failure: AttemptFailure): void {
    if (this.#state === 'over') return;
    this.#leave();
    this.#listener.onAnswerFailed(failure);
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

  #leave(): void {
    this.#state = 'over';
    this.#deadlines.unwatch(this);
    this.onOver();
  }
}
