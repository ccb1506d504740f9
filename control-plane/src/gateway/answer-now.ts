import type { ServerResponse } from 'node:http';
import type { QueueOutlook } from '../router/route-types.js';
import { ERROR_TABLE, errorFields, type GatewayError } from './decide/error-table.js';
import { type ErrorForm, OPENAI_ERRORS } from './decide/render-error.js';

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';
/** What stands in the `x-fabric-…` headers where nothing was asked. */
export const NO_TARGET = 'none';

export interface AnswerFacts {
  readonly requestId: string;
  readonly corsHeaders: readonly string[];
  readonly host: string;
  readonly replica: string;
  readonly attempts: number;
  readonly overheadMs: number;
  /** What it waited for a target. */
  readonly queueMs: number;
  readonly reason: string;
}

/** Facts of an answer for which nothing was asked. */
export function ownFacts(
  context: { readonly requestId: string; readonly corsHeaders: readonly string[] },
  reason: string,
): AnswerFacts {
  const { requestId, corsHeaders } = context;
  return {
    requestId,
    corsHeaders,
    host: NO_TARGET,
    replica: NO_TARGET,
    attempts: 0,
    overheadMs: 0,
    queueMs: 0,
    reason,
  };
}

/** Names and values, alternating: what every answer of the gateway carries, errors too. */
export function factHeaders(facts: AnswerFacts): string[] {
  const headers = [
    'x-request-id',
    facts.requestId,
    'x-fabric-host',
    facts.host,
    'x-fabric-replica',
    facts.replica,
    'x-fabric-attempts',
    String(facts.attempts),
    'x-fabric-overhead-ms',
    hundredths(facts.overheadMs),
    'x-fabric-reason',
    facts.reason,
  ];
  if (facts.queueMs > 0) headers.push('x-fabric-queue-ms', String(Math.round(facts.queueMs)));
  if (facts.corsHeaders.length > 0) headers.push(...facts.corsHeaders);
  return headers;
}

/**
 * Names and values, alternating: of an answer that an engine gives.
 *
 * @param contentLength in bytes; `null`: a stream, which nothing on its way is to keep or hold back
 */
export function answerHead(facts: AnswerFacts, contentType: string, contentLength: number | null): string[] {
  const head = factHeaders(facts);
  head.push('content-type', contentType);
  if (contentLength !== null) head.push('content-length', String(contentLength));
  else head.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
  return head;
}

/** Names and values, alternating: of a refusal, how the request stood in the queue. */
export function outlookHeaders({ position, etaMs }: QueueOutlook): string[] {
  const headers = ['x-fabric-queue-position', String(position)];
  if (etaMs !== null) headers.push('x-fabric-queue-eta-ms', String(Math.round(etaMs)));
  return headers;
}

/** What `toFixed(2)` gives, in a tenth of its time: it is done for every answer. */
function hundredths(value: number): string {
  const all = Math.round(value * 100);
  const part = all % 100;
  return `${(all - part) / 100}.${part < 10 ? '0' : ''}${part}`;
}

/** Answers with JSON in one piece. */
export function answerJson(
  response: ServerResponse,
  status: number,
  json: string,
  facts: AnswerFacts,
  extraHeaders: readonly string[] = [],
): void {
  const body = Buffer.from(json);
  response.writeHead(status, [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    ...factHeaders(facts),
    ...extraHeaders,
  ]);
  response.end(body);
}

export function answerError(
  response: ServerResponse,
  error: GatewayError,
  facts: AnswerFacts,
  extraHeaders: readonly string[] = [],
  form: ErrorForm = OPENAI_ERRORS,
): void {
  const { status } = ERROR_TABLE[error.code];
  answerJson(response, status, form.whole(errorFields(error), status, facts.requestId), facts, extraHeaders);
}
