import { type Needs, needsOf } from '../../router/needs.js';
import { type BodyShape, CHAT_BODY } from './body-shapes.js';
import { type GatewayError, gatewayError } from './error-table.js';
import { findJsonError, type JsonFault } from './find-json-error.js';
import { findNeeds } from './find-needs.js';
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
  /** Whether a stream's usage comes without our asking, and is the client's: it asked itself, or its API always tells. */
  readonly wantsUsage: boolean;
  /** What the client allows the answer to have; `null` where it sets no bound. */
  readonly maxTokens: number | null;
  /** Answers that are asked for at once, OpenAI's `n`. */
  readonly choices: number;
  /** Of the prompt; `null` where bytes say little of tokens (images, audio). */
  readonly estimatedPromptTokens: number | null;
  /** Of the prompt, with the tools; `null` where bytes say little of tokens. */
  readonly promptBytes: number | null;
  /** What it needs of a model beside text. */
  readonly needs: Needs;
  /** The response that this one is to follow; `null`: none. */
  readonly previousResponseId: string | null;
  /** Where what goes into the prompt lies: tools first, as engines put them; less the closing brackets. */
  readonly promptSpans: readonly Span[];
  /** What the client calls the conversation: `prompt_cache_key`, else `user`. */
  readonly session: string | null;
  /** All members named `model` and `stream_options`, duplicates included; of a form, its parts named `model`. */
  readonly found: readonly FoundMember[];
  /** Index of the body's closing brace; `null`: it is a form. */
  readonly closeAt: number | null;
}

export type Peek =
  | { readonly ok: true; readonly request: PeekedRequest }
  | { readonly ok: false; readonly error: GatewayError };

/** What is rewritten. */
const KEPT: ReadonlySet<string> = new Set(['model', 'stream_options']);

/** English takes about 4.5 bytes a token, indented code up to 8: a guess too high would refuse what fits. */
const BYTES_PER_TOKEN = 6;
const AUDIO = needsOf(['audio']);
/** A prompt shorter than this cannot be too long for any engine, image or not. */
const MEDIA_CHECK_BYTES = 8 * 1024;
/** Nor is a longer one searched for those. */
const MAX_ESTIMATED_BYTES = 1024 * 1024;
export const MAX_MODEL_BYTES = 1024;
/** Of a response's id: those of OpenAI and vLLM have some 40 letters. */
const MAX_ID_BYTES = 128;
const MAX_NAME_BYTES = 1024;
const MAX_OPTIONS_BYTES = 4 * 1024;

/**
 * @param bytes the body, UTF-8, without a byte order mark
 * @param maxCheckedBytes a body up to this is checked to be JSON; of a longer one only the structure is followed
 * @param shape which members its endpoint has
 */
export function peekRequest(bytes: Uint8Array, maxCheckedBytes: number, shape: BodyShape = CHAT_BODY): Peek {
  const isChecked = bytes.length <= maxCheckedBytes;
  const scan = scanJsonMembers(bytes, shape.names);
  if (!scan.ok) return { ok: false, error: scanError(bytes, scan, isChecked) };
  const fault = isChecked ? findJsonError(bytes, MAX_DEPTH + 1) : null;
  if (fault !== null) return { ok: false, error: faultError(bytes, fault) };

  const member = scan.found.findLast((each) => each.name === 'model');
  if (member === undefined) return MODEL_MISSING;
  const isShort = member.end - member.start <= MAX_MODEL_BYTES;
  const model = isShort ? readString(bytes, member.start, member.end) : undefined;
  if (typeof model !== 'string' || model === '') return MODEL_IS_NO_NAME;
  const background = scan.found.findLast((each) => each.name === 'background');
  if (background !== undefined && bytes[background.start] === TRUE) return BACKGROUND_REFUSED;
  return { ok: true, request: read(bytes, scan, model, shape) };
}

function read(
  bytes: Uint8Array,
  scan: Extract<JsonScan, { ok: true }>,
  model: string,
  shape: BodyShape,
): PeekedRequest {
  let stream = false;
  let wantsUsage = !shape.asksUsage;
  let maxTokens: number | null = null;
  let choices = 1;
  let promptBytes = 0;
  let toolBytes = 0;
  let unknowable = false;
  let previousResponseId: string | null = null;
  const spans: Span[] = [];
  let cacheKey: string | null = null;
  let user: string | null = null;
  const kept: FoundMember[] = [];
  for (const member of scan.found) {
    if (member.name === 'stream') stream = bytes[member.start] === TRUE;
    else if (shape.maxTokens.has(member.name)) {
      maxTokens = readCount(bytes, member.start, member.end) ?? maxTokens;
    } else if (member.name === 'tools') {
      toolBytes += member.end - member.start;
      spans.unshift({ start: member.start, end: member.end - 1 });
    } else if (member.name === 'prompt_cache_key') cacheKey = readName(bytes, member) ?? cacheKey;
    else if (member.name === 'user') user = readName(bytes, member) ?? user;
    else if (member.name === 'n') {
      choices = Math.max(1, readCount(bytes, member.start, member.end) ?? 1);
    } else if (shape.prompt.has(member.name)) {
      const length = member.end - member.start;
      promptBytes += length;
      spans.push({ start: member.start, end: member.end - 1 });
      unknowable ||=
        length > MAX_ESTIMATED_BYTES ||
        (length > MEDIA_CHECK_BYTES && hasMark(bytes, member.start, member.end, shape.mediaMark));
    } else if (KEPT.has(member.name)) kept.push(member);
    else if (member.name === 'previous_response_id') previousResponseId = readId(bytes, member);
    if (member.name === 'stream_options') wantsUsage = asksForUsage(bytes, member);
  }
  const needs = findNeeds(bytes, scan.found);
  // A sound comes as bare base64: unlike an image it has no mark in its bytes but its part's name.
  unknowable ||= (needs & AUDIO) !== 0 && promptBytes > MEDIA_CHECK_BYTES;
  return {
    model,
    stream,
    wantsUsage,
    maxTokens,
    choices,
    estimatedPromptTokens: unknowable ? null : Math.ceil(promptBytes / BYTES_PER_TOKEN),
    needs,
    previousResponseId,
    promptBytes: unknowable ? null : promptBytes + toolBytes,
    promptSpans: spans,
    session: cacheKey ?? user,
    found: kept,
    closeAt: scan.closeAt,
  };
}

function readId(bytes: Uint8Array, { start, end }: FoundMember): string | null {
  return end - start <= MAX_ID_BYTES ? (readString(bytes, start, end) ?? null) : null;
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
function hasMark(bytes: Uint8Array, start: number, end: number, mark: string): boolean {
  const first = mark.charCodeAt(0);
  for (let at = start; at < end; at++) {
    if (bytes[at] === first && equalsAscii(bytes, at, mark)) return true;
  }
  return false;
}

function scanError(
  bytes: Uint8Array,
  scan: Extract<JsonScan, { ok: false }>,
  isChecked: boolean,
): GatewayError {
  if (scan.code === 'too_deep' || scan.code === 'too_many_duplicates') return describeScanFault(scan);
  if (bytes.length === 0)
    return gatewayError('invalid_json', 'The body is empty; a JSON object was expected.');
  const fault = isChecked ? findJsonError(bytes, MAX_DEPTH + 1) : scanFault(scan);
  return fault === null ? notAnObject() : faultError(bytes, fault);
}

/** The same of a body whose bytes are not at hand. */
export function describeScanFault({ code, at }: Extract<JsonScan, { ok: false }>): GatewayError {
  switch (code) {
    case 'too_deep':
      return gatewayError(
        'invalid_json',
        `The body is nested deeper than ${MAX_DEPTH} levels (from byte ${at} on).`,
      );
    case 'too_many_duplicates':
      return gatewayError('invalid_json', `The body repeats the same member too often (byte ${at}).`);
    case 'not_an_object':
      return notAnObject();
    case 'malformed':
    case 'truncated': {
      const what = code === 'truncated' ? 'it ends too soon (see' : 'it goes wrong (at';
      return gatewayError('invalid_json', `The body is not JSON: ${what} byte ${at}).`);
    }
    default:
      return code satisfies never;
  }
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
): Extract<Peek, { ok: false }> {
  return { ok: false, error: gatewayError(code, message, param) };
}

/** The first letter of `true`. */
const TRUE = 0x74;

export const MODEL_MISSING = refused(
  'missing_required_parameter',
  'The body lacks "model". GET /v1/models lists the names.',
  'model',
);
export const MODEL_IS_NO_NAME = refused(
  'invalid_request',
  `"model" must be a name: a string, not empty, at most ${MAX_MODEL_BYTES} bytes.`,
  'model',
);
const BACKGROUND_REFUSED = refused(
  'invalid_request',
  '"background": true is not served: responses are not kept here, so nobody could fetch the answer. Stream it instead.',
  'background',
);
