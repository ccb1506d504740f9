import type { ServerResponse } from 'node:http';
import type { Clock } from '@ai-fabric/shared';
import type { AttemptOutcome, Claim } from '../router/route-types.js';
import type { AnswerSink, SinkHost } from './answer-sink.js';
import { type AttemptFailure, attemptFailure, isBusy } from './decide/attempt-failure.js';
import type { GatewayError } from './decide/error-table.js';
import { judgeAnswer } from './decide/judge-answer.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import type { NormalisedError } from './decide/normalise-engine-error.js';
import { readToldLimits } from './decide/read-told-limits.js';
import type { Usage } from './decide/read-usage.js';
import { ErrorAnswer } from './error-answer.js';
import { EventStreamRelay } from './event-stream-relay.js';
import type { AnswerHeaders, AnswerListener, UpstreamCall } from './upstream/upstream-call.js';
import { WholeAnswer } from './whole-answer.js';

/** The request that an attempt is made for. */
export interface AttemptOwner {
  readonly response: ServerResponse;
  /** Somebody listens to what the response is given. */
  readonly isHeard: boolean;
  readonly withholdUsage: boolean;
  /** How many answers the client asked for. */
  readonly choices: number;
  readonly endpoint: EngineEndpoint;
  readonly requestId: string;
  /** @param ownMs what the gateway took for itself since the answer's last byte */
  onCommitted(contentType: string, contentLength: number | null, ownMs: number): void;
  onSucceeded(usage: Usage | null, answerId: string | null): void;
  /** The engine finds the request itself at fault. Nothing was sent to the client. */
  onClientError(error: NormalisedError): void;
  /** Nothing was sent to the client. */
  onAttemptFailed(failure: AttemptFailure): void;
  onInterrupted(code: string): void;
  onClientStalled(): void;
  onDefect(error: unknown): void;
}

/** One target asked once: holds its claim and its call, and lets go of both on every path. */
export class Attempt implements AnswerListener, SinkHost {
  headers: AnswerHeaders = {};
  /** From asking to the first byte. */
  firstByteMs: number | null = null;
  readonly target: string;
  readonly #owner: AttemptOwner;
  readonly #clock: Clock;
  readonly #isProvider: boolean;
  #askedAtMs = 0;
  #claim: Claim | null;
  #call: UpstreamCall | null = null;
  #sink: AnswerSink | null = null;
  #isError = false;
  #status = 0;
  #wasPaused = false;
  #endedAtMs: number | null = null;

  constructor(claim: Claim, owner: AttemptOwner, clock: Clock, isProvider: boolean) {
    this.target = claim.target;
    this.#claim = claim;
    this.#owner = owner;
    this.#clock = clock;
    this.#isProvider = isProvider;
  }

  get response(): ServerResponse {
    return this.#owner.response;
  }

  get isHeard(): boolean {
    return this.#owner.isHeard;
  }

  /** May fail before it returns, and then tells the owner so. */
  ask(open: (listener: AnswerListener) => UpstreamCall, askedAtMs: number): void {
    this.#askedAtMs = askedAtMs;
    this.#call = open(this);
    this.#call.send();
  }

  /** The client is gone, or the gateway ends: the engine is told at once, and the slot is free. */
  cancel(): void {
    this.#call?.abort();
    this.#release(this.#sink?.isWhole === true ? SUCCEEDED : NEUTRAL);
  }

  /** Ends an answer whose head was sent, with an error that the client can see. */
  breakOff(error: GatewayError): void {
    this.cancel();
    this.#sink?.breakOff(error);
  }

  onAnswerStart(status: number, headers: AnswerHeaders): void {
    this.headers = headers;
    this.#status = status;
    const { endpoint } = this.#owner;
    const { dialect } = endpoint;
    const verdict = judgeAnswer(
      status,
      text(headers['content-type']),
      text(headers['content-encoding']),
      dialect.mayBeText,
    );
    const isWhole = verdict.kind === 'json' || verdict.kind === 'text';
    if (isWhole && this.response.headersSent) {
      // Comments have made it an event stream: nothing else can follow them.
      this.#call?.abort();
      this.giveUp(attemptFailure('not_json', 'one answer where an event stream was asked for'));
    } else if (isWhole) {
      this.#sink = new WholeAnswer(this, verdict.kind === 'json' ? dialect : null);
    } else if (verdict.kind === 'events') {
      const { withholdUsage, choices, requestId } = this.#owner;
      this.#sink = new EventStreamRelay(this, withholdUsage, dialect, choices, requestId);
    } else {
      const kind = verdict.kind === 'failed' ? verdict.code : verdict.kind;
      this.#sink = new ErrorAnswer(this, status, kind, endpoint, this.#clock.nowMs());
      this.#isError = true;
    }
    if (!this.#isError) this.#tellLimits('');
  }

  onAnswerData(chunk: Buffer, atMs: number): void {
    if (this.firstByteMs === null) {
      this.firstByteMs = atMs - this.#askedAtMs;
      if (!this.#isError) this.#claim?.answered();
    }
    try {
      this.#sink?.data(chunk);
    } catch (error) {
      this.#owner.onDefect(error);
    }
  }

  onAnswerEnd(): void {
    this.#endedAtMs = this.#clock.monotonicMs();
    try {
      this.#sink?.end();
    } catch (error) {
      this.#owner.onDefect(error);
    }
  }

  onAnswerFailed(failure: AttemptFailure): void {
    try {
      if (this.#sink === null) this.giveUp(failure);
      else this.#sink.failed(failure);
    } catch (error) {
      this.#owner.onDefect(error);
    }
  }

  onStalled(): void {
    this.#owner.onClientStalled();
  }

  commit(contentLength: number | null): void {
    const ownMs = this.#endedAtMs === null ? 0 : this.#clock.monotonicMs() - this.#endedAtMs;
    this.#owner.onCommitted(text(this.headers['content-type']), contentLength, ownMs);
  }

  succeed(usage: Usage | null, answerId: string | null): void {
    this.#release({
      kind: 'succeeded',
      promptTokens: usage?.promptTokens ?? null,
      completionTokens: usage?.completionTokens ?? null,
      cachedTokens: usage?.cachedTokens ?? null,
      wasPaused: this.#wasPaused,
    });
    this.#owner.onSucceeded(usage, answerId);
  }

  refuse(error: NormalisedError): void {
    this.#release(NEUTRAL);
    this.#owner.onClientError(error);
  }

  giveUp(failure: AttemptFailure): void {
    this.#release(outcomeOf(failure));
    this.#owner.onAttemptFailed(failure);
  }

  interrupted(failure: AttemptFailure): void {
    this.#release(outcomeOf(failure));
    this.#owner.onInterrupted(failure.code);
  }

  refusalRead(text: string): void {
    this.#tellLimits(text);
  }

  progressed(events: number): void {
    this.#claim?.progressed(events);
  }

  pause(): void {
    this.#wasPaused = true;
    this.#call?.pause();
  }

  resume(): void {
    this.#call?.resume();
  }

  endWithin(ms: number): void {
    this.#call?.endWithin(ms);
  }

  abort(): void {
    this.#call?.abort();
  }

  #tellLimits(errorText: string): void {
    if (!this.#isProvider || this.#claim === null) return;
    this.#claim.limitsTold(readToldLimits(this.#status, this.headers, errorText, this.#clock.nowMs()));
  }

  #release(outcome: AttemptOutcome): void {
    const claim = this.#claim;
    this.#claim = null;
    claim?.release(outcome);
  }
}

const NEUTRAL: AttemptOutcome = { kind: 'neutral' };
const CUT_OFF: AttemptOutcome = { kind: 'cut_off' };
const BUSY: AttemptOutcome = { kind: 'busy' };
const SUCCEEDED: AttemptOutcome = { kind: 'succeeded', promptTokens: null, completionTokens: null };

/**
 * The total deadline is the request's own: an engine that was still writing did nothing wrong. Nor did one whose
 * tunnel broke: the router sees for itself that it is down, and the engine is as good as before when it is back. One
 * that does not speak an endpoint is as good as before for what it does speak.
 */
function outcomeOf(failure: AttemptFailure): AttemptOutcome {
  if (isBusy(failure)) return BUSY;
  if (failure.code === 'total_timeout' || failure.code === 'endpoint_unknown_there') return NEUTRAL;
  return failure.code === 'tunnel_down' ? CUT_OFF : { kind: 'failed', code: failure.code };
}

function text(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : '';
}
