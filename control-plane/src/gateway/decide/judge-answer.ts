import type { AttemptFailureCode } from './attempt-failure.js';

/** What to do with an upstream's answer, told from its status and headers. */
export type AnswerVerdict =
  /** A JSON answer: to be buffered and sent whole. */
  | { readonly kind: 'json' }
  /** A whole answer that is no JSON, as transcriptions are where the client asks for text. */
  | { readonly kind: 'text' }
  /** An event stream: to be relayed event by event. */
  | { readonly kind: 'events' }
  /** The client's own request was wrong: the body is read and passed on in OpenAI's form. */
  | { readonly kind: 'clientError' }
  /** Not this target, not now. What can be read of the body is for the operator's log. */
  | { readonly kind: 'failed'; readonly code: AttemptFailureCode };

const JSON_ANSWER: AnswerVerdict = { kind: 'json' };
const TEXT_ANSWER: AnswerVerdict = { kind: 'text' };
const EVENTS: AnswerVerdict = { kind: 'events' };
const CLIENT_ERROR: AnswerVerdict = { kind: 'clientError' };

/**
 * 401, 402, 403 and 404 from an engine or provider are faults of our own configuration, not of the client. A redirect is
 * never followed: it would take the request, and a provider's key, to an address that nobody declared.
 *
 * @param contentType of the answer, `''` where it has none
 * @param contentEncoding of the answer, `''` where it has none; we ask for none
 * @param mayBeText whether the endpoint has answers that are no JSON
 */
export function judgeAnswer(
  status: number,
  contentType: string,
  contentEncoding: string,
  mayBeText = false,
): AnswerVerdict {
  if (status === 200) return judgeSuccess(contentType, contentEncoding, mayBeText);
  if (status < 300) return failed('not_json');
  if (status < 400) return failed('redirected');
  if (status === 401 || status === 403) return failed('unauthorized');
  if (status === 402) return failed('unpaid');
  if (status === 404) return failed('model_unknown_there');
  if (status === 429) return failed('status_429');
  if (status < 500) return CLIENT_ERROR;
  return failed(SERVER_FAILURES.get(status) ?? 'status_other');
}

const SERVER_FAILURES: ReadonlyMap<number, AttemptFailureCode> = new Map<number, AttemptFailureCode>([
  [500, 'status_500'],
  [502, 'status_502'],
  [503, 'status_503'],
  [504, 'status_504'],
  [529, 'status_529'],
]);

/** Of transcripts and their two kinds of subtitles. A web page is none. */
const TEXT_TYPES: ReadonlySet<string> = new Set([
  'text/plain',
  'text/vtt',
  'text/srt',
  'application/x-subrip',
]);

function judgeSuccess(contentType: string, contentEncoding: string, mayBeText: boolean): AnswerVerdict {
  if (contentEncoding !== '' && contentEncoding.toLowerCase() !== 'identity') return failed('not_json');
  const semicolon = contentType.indexOf(';');
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  if (type === 'application/json') return JSON_ANSWER;
  if (type === 'text/event-stream') return EVENTS;
  return mayBeText && TEXT_TYPES.has(type) ? TEXT_ANSWER : failed('not_json');
}

function failed(code: AttemptFailureCode): AnswerVerdict {
  return { kind: 'failed', code };
}

/** `Retry-After` in its two forms, as whole seconds; `null` where it is absent or nonsense. */
export function readRetryAfter(value: string, nowMs: number): number | null {
  const text = value.trim();
  const isDate = text.endsWith('GMT');
  if (!isDate && !/^\d{1,6}$/.test(text)) return null;
  const seconds = isDate ? (Date.parse(text) - nowMs) / 1000 : Number(text);
  if (!Number.isFinite(seconds)) return null;
  return Math.min(86_400, Math.max(0, Math.ceil(seconds)));
}
