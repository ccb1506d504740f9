import type { ErrorFields } from './error-table.js';

/** Context overflow is told by its `param` in vLLM; the words differ between versions and are the second hint. */
const OVERFLOW_TEXT =
  /maximum (?:context|model|sequence) length|context[ _](?:length|window)|max_model_len|too many (?:input )?tokens|longer than the maximum|prompt is too long/i;

const STATUS_CODES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request'],
  // Passed on only where it is about a response that the client spoke of.
  [404, 'response_not_found'],
  [408, 'upstream_timeout'],
  [413, 'request_too_large'],
  [415, 'unsupported_media_type'],
  [422, 'invalid_request'],
]);

const MESSAGE_MAX_CHARS = 4_000;

export interface NormalisedError extends ErrorFields {
  readonly status: number;
}

/**
 * Brings an engine's 4xx into OpenAI's form: vLLM's envelope with an integer as `code`, its older flat form,
 * FastAPI's `detail`, OpenAI's own, or anything else.
 *
 * @param text the answer's body
 * @param promptParam what OpenAI calls the field that holds the prompt of this endpoint
 */
export function normaliseEngineError(status: number, text: string, promptParam: string): NormalisedError {
  const raw = findError(parse(text));
  const message = clip(
    readText(raw?.message) ?? readDetail(raw) ?? `The engine refused the request (${status}).`,
  );
  const param = readText(raw?.param);
  const ownCode = readText(raw?.code);
  if (param === 'input_tokens' || ownCode === 'context_length_exceeded' || OVERFLOW_TEXT.test(message)) {
    return {
      status: 400,
      message,
      type: 'invalid_request_error',
      param: promptParam,
      code: 'context_length_exceeded',
    };
  }
  const code =
    ownCode !== null && !/^\d+$/.test(ownCode) ? ownCode : (STATUS_CODES.get(status) ?? 'invalid_request');
  return { status, message, type: readType(raw?.type), param, code };
}

interface Fields {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  readonly code?: unknown;
  readonly detail?: unknown;
}

function findError(value: unknown): Fields | null {
  if (!isFields(value)) return null;
  const inner = value.error;
  if (isFields(inner)) return inner;
  if (typeof inner === 'string') return { message: inner };
  return value;
}

/** FastAPI: `detail` as a text, or as a list of `{ loc, msg }`. */
function readDetail(raw: Fields | null): string | null {
  const detail = raw?.detail;
  if (!Array.isArray(detail)) return readText(detail);
  const faults: readonly { loc?: unknown; msg?: unknown }[] = detail.slice(0, 5).filter(isObject);
  const parts = faults.map(({ loc, msg }) => {
    const place = Array.isArray(loc) ? loc.join('.') : '';
    return `${place === '' ? '' : `${place}: `}${readText(msg) ?? 'is wrong'}`;
  });
  return parts.length === 0 ? null : parts.join('; ');
}

/** OpenAI's types are snake case; vLLM's are Python classes (`BadRequestError`). */
function readType(value: unknown): string {
  return typeof value === 'string' && /^[a-z][a-z_]*$/.test(value) ? value : 'invalid_request_error';
}

function readText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function isFields(value: unknown): value is Fields {
  return isObject(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function clip(message: string): string {
  return message.length <= MESSAGE_MAX_CHARS ? message : `${message.slice(0, MESSAGE_MAX_CHARS)}…`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
