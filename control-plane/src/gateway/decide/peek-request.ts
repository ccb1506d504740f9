import { type GatewayError, gatewayError } from './error-table.js';
import { findJsonError, type JsonFault } from './find-json-error.js';
import type { Span } from './hash-history.js';
import {
  equalsAscii,
  type FoundMember,
  type JsonScan,
  MAX_DEPTH,
  readCount,
  readJson,
  readString,
  scanJsonMembers,
} from './scan-json-members.js';

/** What the gateway reads of a request's body; everything else reaches the engine untouched. */
export interface PeekedRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Whether the client itself asked for the usage event of a stream. */
  readonly wantsUsage: boolean;
  /** What the client allows the answer to have; `null` where it sets no bound. */
  readonly maxTokens: number | null;
  /** Answers that are asked for at once, OpenAI's `n`. */
  readonly choices: number;
  /** Of prompt, messages or input; `null` where bytes say little of tokens (images). */
  readonly estimatedPromptTokens: number | null;
  /** Of prompt, messages or input, with the tools; `null` where bytes say little of tokens. */
  readonly promptBytes: number | null;
  /** Where what goes into the prompt lies: tools first, as engines put them; less the closing brackets. */
  readonly promptSpans: readonly Span[];
  /** What the client calls the conversation: `prompt_cache_key`, else `user`. */
  readonly session: string | null;
  /** All members named `model` and `stream_options`, duplicates included. */
  readonly found: readonly FoundMember[];
  /** Index of the body's closing brace. */
  readonly closeAt: number;
}

export type Peek =
  | { readonly ok: true; readonly request: PeekedRequest }
  | { readonly ok: false; readonly error: GatewayError };

const NAMES = [
  'model',
  'stream',
  'stream_options',
  'messages',
  'prompt',
  'input',
  'tools',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'prompt_cache_key',
  'user',
];
const MAX_TOKENS_NAMES: ReadonlySet<string> = new Set(['max_tokens', 'max_completion_tokens']);
const PROMPT_NAMES: ReadonlySet<string> = new Set(['messages', 'prompt', 'input']);

/** English takes about 4.5 bytes a token, indented code up to 8: a guess too high would refuse what fits. */
const BYTES_PER_TOKEN = 6;
/** A prompt shorter than this cannot be too long for any engine, image or not. */
const IMAGE_CHECK_BYTES = 8 * 1024;
const IMAGE_MARK = ';base64,';
/** Nor is a longer one searched for images. */
const MAX_ESTIMATED_BYTES = 1024 * 1024;
const MAX_MODEL_BYTES = 1024;
const MAX_NAME_BYTES = 1024;
const MAX_OPTIONS_BYTES = 4 * 1024;

/**
 * @param bytes the body, UTF-8, without a byte order mark
 * @param maxCheckedBytes a body up to this is checked to be JSON; of a longer one only the structure is followed
 */
export function peekRequest(bytes: Uint8Array, maxCheckedBytes: number): Peek {
  const isChecked = bytes.length <= maxCheckedBytes;
  const scan = scanJsonMembers(bytes, NAMES);
  if (!scan.ok) return { ok: false, error: scanError(bytes, scan, isChecked) };
  const fault = isChecked ? findJsonError(bytes, MAX_DEPTH + 1) : null;
  if (fault !== null) return { ok: false, error: faultError(bytes, fault) };

  const model = scan.found.findLast((member) => member.name === 'model');
  if (model === undefined) {
    return refused(
      'missing_required_parameter',
      'The body lacks "model". GET /v1/models lists the names.',
      'model',
    );
  }
  const isShort = model.end - model.start <= MAX_MODEL_BYTES;
  const name = isShort ? readString(bytes, model.start, model.end) : undefined;
  if (typeof name !== 'string' || name === '') {
    return refused(
      'invalid_request',
      `"model" must be a name: a string, not empty, at most ${MAX_MODEL_BYTES} bytes.`,
      'model',
    );
  }
  return { ok: true, request: read(bytes, scan, name) };
}

function read(bytes: Uint8Array, scan: Extract<JsonScan, { ok: true }>, model: string): PeekedRequest {
  let stream = false;
  let wantsUsage = false;
  let maxTokens: number | null = null;
  let choices = 1;
  let promptBytes = 0;
  let toolBytes = 0;
  let unknowable = false;
  const spans: Span[] = [];
  let cacheKey: string | null = null;
  let user: string | null = null;
  const kept: FoundMember[] = [];
  for (const member of scan.found) {
    if (member.name === 'stream') stream = bytes[member.start] === 0x74;
    else if (MAX_TOKENS_NAMES.has(member.name)) {
      maxTokens = readCount(bytes, member.start, member.end) ?? maxTokens;
    } else if (member.name === 'tools') {
      toolBytes += member.end - member.start;
      spans.unshift({ start: member.start, end: member.end - 1 });
    } else if (member.name === 'prompt_cache_key') cacheKey = readName(bytes, member) ?? cacheKey;
    else if (member.name === 'user') user = readName(bytes, member) ?? user;
    else if (member.name === 'n') {
      choices = Math.max(1, readCount(bytes, member.start, member.end) ?? 1);
    } else if (PROMPT_NAMES.has(member.name)) {
      const length = member.end - member.start;
      promptBytes += length;
      spans.push({ start: member.start, end: member.end - 1 });
      unknowable ||=
        length > MAX_ESTIMATED_BYTES ||
        (length > IMAGE_CHECK_BYTES && hasImageMark(bytes, member.start, member.end));
    } else kept.push(member);
    if (member.name === 'stream_options') wantsUsage = asksForUsage(bytes, member);
  }
  return {
    model,
    stream,
    wantsUsage,
    maxTokens,
    choices,
    estimatedPromptTokens: unknowable ? null : Math.ceil(promptBytes / BYTES_PER_TOKEN),
    promptBytes: unknowable ? null : promptBytes + toolBytes,
    promptSpans: spans,
    session: cacheKey ?? user,
    found: kept,
    closeAt: scan.closeAt,
  };
}

/** A string that may name something; anything else is the engine's to judge. */
function readName(bytes: Uint8Array, { start, end }: FoundMember): string | null {
  if (end - start > MAX_NAME_BYTES) return null;
  const name = readString(bytes, start, end);
  return typeof name === 'string' && name !== '' ? name : null;
}

/** Anything but `false` and `null` is the client's own wish, and the engine's to judge. */
function asksForUsage(bytes: Uint8Array, options: FoundMember): boolean {
  if (options.end - options.start > MAX_OPTIONS_BYTES) return false;
  const value = readJson(bytes, options.start, options.end);
  if (typeof value !== 'object' || value === null || !('include_usage' in value)) return false;
  return value.include_usage !== false && value.include_usage !== null;
}

/** A plain loop: a native search for each `;` would let a body of semicolons hold up everybody. */
function hasImageMark(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] === 0x3b && equalsAscii(bytes, at, IMAGE_MARK)) return true;
  }
  return false;
}

function scanError(
  bytes: Uint8Array,
  scan: Extract<JsonScan, { ok: false }>,
  isChecked: boolean,
): GatewayError {
  if (scan.code === 'too_deep') {
    return gatewayError(
      'invalid_json',
      `The body is nested deeper than ${MAX_DEPTH} levels (from byte ${scan.at} on).`,
    );
  }
  if (scan.code === 'too_many_duplicates') {
    return gatewayError('invalid_json', `The body repeats the same member too often (byte ${scan.at}).`);
  }
  if (bytes.length === 0)
    return gatewayError('invalid_json', 'The body is empty; a JSON object was expected.');
  const fault = isChecked ? findJsonError(bytes, MAX_DEPTH + 1) : scanFault(scan);
  return fault === null ? notAnObject() : faultError(bytes, fault);
}

function scanFault(scan: Extract<JsonScan, { ok: false }>): JsonFault | null {
  return scan.code === 'not_an_object' ? null : { at: scan.at, expected: 'the rest of a JSON object' };
}

function notAnObject(): GatewayError {
  return gatewayError('invalid_request', 'The body must be a JSON object, such as {"model": "…"}.');
}

function faultError(bytes: Uint8Array, fault: JsonFault): GatewayError {
  const place = `byte ${fault.at} (${lineAndColumn(bytes, fault.at)})`;
  const what = fault.at >= bytes.length ? 'it ends' : `${quoteByte(bytes[fault.at])} stands`;
  return gatewayError(
    'invalid_json',
    `The body is not JSON: ${what} at ${place} where ${fault.expected} was expected.`,
  );
}

function lineAndColumn(bytes: Uint8Array, at: number): string {
  let line = 1;
  let lineStart = 0;
  for (let index = 0; index < at; index++) {
    if (bytes[index] !== 0x0a) continue;
    line++;
    lineStart = index + 1;
  }
  return `line ${line}, column ${at - lineStart + 1}`;
}

function quoteByte(byte: number | undefined): string {
  if (byte === undefined) return 'nothing';
  const printable = byte > 0x20 && byte < 0x7f;
  return printable ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

function refused(
  code: 'missing_required_parameter' | 'invalid_request',
  message: string,
  param: string,
): Peek {
  return { ok: false, error: gatewayError(code, message, param) };
}
