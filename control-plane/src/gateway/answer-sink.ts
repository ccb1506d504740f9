import type { ServerResponse } from 'node:http';
import type { AttemptFailure } from './decide/attempt-failure.js';
import type { GatewayError } from './decide/error-table.js';
import type { NormalisedError } from './decide/normalise-engine-error.js';
import type { Usage } from './decide/read-usage.js';
import type { AnswerHeaders } from './upstream/upstream-call.js';

/** Takes one answer of an upstream, once its head has told what kind it is. */
export interface AnswerSink {
  data(chunk: Buffer): void;
  end(): void;
  failed(failure: AttemptFailure): void;
  /** The gateway gives the answer up for a reason of its own, after its head was sent to the client. */
  breakOff(error: GatewayError): void;
  /** Whether the client has all it needs, so that its hanging up now is no abort. */
  readonly isWhole: boolean;
}

/** What a sink may do; an attempt implements it. */
export interface SinkHost {
  readonly response: ServerResponse;
  /** Somebody listens to what the response is given. */
  readonly isHeard: boolean;
  readonly headers: AnswerHeaders;
  /** Sends the answer's head. From here on the request cannot be asked elsewhere. */
  commit(contentLength: number | null): void;
  /** What the body of an answer that is no success says: a provider tells its limits there too. */
  refusalRead(text: string): void;
  /** Events of a stream came. */
  progressed(events: number): void;
  /**
   * The answer was whole. To be called before the last byte is sent, so that the slot is free at once.
   *
   * @param answerId what it is called by who follows it
   */
  succeed(usage: Usage | null, answerId: string | null): void;
  /** Nothing was sent to the client: the request may go elsewhere. */
  giveUp(failure: AttemptFailure): void;
  /** The client's own request was wrong. */
  refuse(error: NormalisedError): void;
  /** The answer broke off after its head was sent. */
  interrupted(failure: AttemptFailure): void;
  pause(): void;
  resume(): void;
  endWithin(ms: number): void;
  abort(): void;
}
