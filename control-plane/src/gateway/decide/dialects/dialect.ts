import type { Usage } from '../read-usage.js';
import type { ErrorForm } from '../render-error.js';

/** What an event of a stream is to the gateway. */
export type EventVerdict =
  /** Passed on. */
  | 'data'
  /** The usage alone, in an event that a client may not have asked for. */
  | 'usage'
  /** The stream is whole. */
  | 'done'
  /** The engine tells an error inside its stream. */
  | 'error'
  /** The engine tells an error, and with it the end of its stream. */
  | 'failed';

/** Reads one stream, event by event. */
export interface StreamReader {
  /** The event stands in `[start, end)`, its blank line included. */
  read(bytes: Buffer, start: number, end: number): EventVerdict;
  /** Nothing is missing of the answer, although its end was never told. */
  readonly isFinished: boolean;
  /** What the answer is called by who follows it; `null` where its API has no such thing. */
  readonly answerId: string | null;
  /** What was told of the tokens. To be asked when the stream is over. */
  usage(): Usage | null;
}

export function noAnswerId(): null {
  return null;
}

/** How an API speaks: what its answers and streams mean, and how errors are told in it. */
export interface Dialect {
  /** What the last event of a stream is called, for messages. */
  readonly lastEvent: string;
  readonly errors: ErrorForm;
  /** An answer may be plain text instead of JSON. */
  readonly mayBeText: boolean;
  /** @param choices how many answers were asked for at once */
  createReader(choices: number): StreamReader;
  /** The usage in a whole answer; `broken`: it is no whole JSON object. */
  readAnswerUsage(bytes: Uint8Array): Usage | null | 'broken';
  /** What a whole answer is called, as `StreamReader.answerId`. */
  readAnswerId(bytes: Uint8Array): string | null;
}
