import { toUsage, type Usage } from './read-usage.js';
import { equalsAscii } from './scan-json-members.js';

export type EventKind =
  | { readonly kind: 'data' }
  /** `[DONE]`: the stream is whole. */
  | { readonly kind: 'done' }
  /** The engine tells an error inside its stream. */
  | { readonly kind: 'error' }
  /** The event that `stream_options.include_usage` adds: `choices: []` and the usage. */
  | { readonly kind: 'usage'; readonly usage: Usage };

const DATA: EventKind = { kind: 'data' };
const DONE: EventKind = { kind: 'done' };
const ERROR: EventKind = { kind: 'error' };

const NONE: readonly number[] = [];
const FINISH = '"finish_reason"';
const SPACE = 0x20;
const BRACE = 0x7b;
const BRACKET = 0x5b;

/**
 * What an event of a chat or completion stream is. Cheap for the common one: its bytes are looked over once, and
 * only an event with an empty `choices` is parsed.
 *
 * @param bytes holds the event in `[start, end)`, its blank line included
 */
export function readEvent(bytes: Uint8Array, start: number, end: number): EventKind {
  const at = fieldStart(bytes, start, end, 'data:');
  if (at < 0) return DATA;
  const first = bytes[at];
  if (first === BRACKET) return equalsAscii(bytes, at, '[DONE]') && at + 6 <= end ? DONE : DATA;
  if (first !== BRACE) return DATA;
  if (startsWithError(bytes, at, end)) return ERROR;
  if (!hasEmptyChoices(bytes, at, end)) return DATA;
  const usage = usageOnly(parseData(bytes, start, end));
  return usage === null ? DATA : { kind: 'usage', usage };
}

/**
 * The usage in an event that also carries choices: some providers put it into the last of them and send no event
 * of its own.
 */
export function readUsageBeside(bytes: Uint8Array, start: number, end: number): Usage | null {
  const value = parseData(bytes, start, end);
  if (typeof value !== 'object' || value === null || !('usage' in value)) return null;
  return toUsage(value.usage);
}

/**
 * The choices that this event ends: those with a `finish_reason` that is not null. Cheap for the common event, which
 * ends none: the name stands near the end of the bytes, and is looked for from there.
 *
 * @returns their indices; a choice without one counts as the first
 */
export function readFinished(bytes: Uint8Array, start: number, end: number): readonly number[] {
  if (!endsAChoice(bytes, start, end)) return NONE;
  const value = parseData(bytes, start, end);
  if (typeof value !== 'object' || value === null || !('choices' in value)) return NONE;
  if (!Array.isArray(value.choices)) return NONE;
  return value.choices.flatMap((choice: unknown) => {
    if (typeof choice !== 'object' || choice === null || !('finish_reason' in choice)) return [];
    if (typeof choice.finish_reason !== 'string') return [];
    return 'index' in choice && typeof choice.index === 'number' ? [choice.index] : [0];
  });
}

/** Only the last `"finish_reason"` is looked at: engines send an event for each choice. */
function endsAChoice(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = end - FINISH.length; at >= start; at--) {
    if (bytes[at] !== 0x22 || bytes[at + 1] !== 0x66 || !equalsAscii(bytes, at, FINISH)) continue;
    const colon = skipSpaces(bytes, at + FINISH.length, end);
    return bytes[colon] === 0x3a && bytes[skipSpaces(bytes, colon + 1, end)] === 0x22;
  }
  return false;
}

/**
 * Where the value of the first line of a field begins, or -1.
 *
 * @param field with its colon: `data:`
 */
export function fieldStart(bytes: Uint8Array, start: number, end: number, field: string): number {
  let line = start;
  while (line < end) {
    if (equalsAscii(bytes, line, field)) {
      const value = line + field.length;
      return bytes[value] === SPACE ? value + 1 : value;
    }
    const lineEnd = bytes.indexOf(0x0a, line);
    if (lineEnd < 0) return -1;
    line = lineEnd + 1;
  }
  return -1;
}

/** Whether the value that begins at `at` is this text, to the end of its line. */
export function isField(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  const behind = at + text.length;
  if (at < 0 || behind > end || !equalsAscii(bytes, at, text)) return false;
  return behind === end || bytes[behind] === 0x0a || bytes[behind] === 0x0d;
}

function startsWithError(bytes: Uint8Array, brace: number, end: number): boolean {
  let at = brace + 1;
  while (at < end && bytes[at] === SPACE) at++;
  return equalsAscii(bytes, at, '"error"');
}

/**
 * Whether `"choices"` with an empty array occurs. Inside a JSON string the quotes would be escaped, so the bytes
 * can only be a member's name.
 */
function hasEmptyChoices(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0x22 || bytes[at + 1] !== 0x63 || !equalsAscii(bytes, at, '"choices"')) continue;
    let next = skipSpaces(bytes, at + 9, end);
    if (bytes[next] !== 0x3a) continue;
    next = skipSpaces(bytes, next + 1, end);
    if (bytes[next] !== BRACKET) continue;
    return bytes[skipSpaces(bytes, next + 1, end)] === 0x5d;
  }
  return false;
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === SPACE || bytes[at] === 0x09)) at++;
  return at;
}

const utf8 = new TextDecoder();
const LINE_END = /\r?\n/;

/** The event's data lines, joined as the standard says, parsed; `undefined` where that is no JSON. */
export function parseData(bytes: Uint8Array, start: number, end: number): unknown {
  const lines = utf8.decode(bytes.subarray(start, end)).split(LINE_END);
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
  try {
    return JSON.parse(data.join('\n'));
  } catch {
    return undefined;
  }
}

/** `undefined` where the value is no object, or has no such member. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function usageOnly(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('usage' in value) || !('choices' in value)) return null;
  const isEmpty = Array.isArray(value.choices) && value.choices.length === 0;
  return isEmpty ? toUsage(value.usage) : null;
}
