import type { PeekedRequest } from './peek-request.js';
import { equalsAscii, type FoundMember, scanJsonMembers } from './scan-json-members.js';

/** `[start, end)` of the body is replaced by `text`, whose characters are bytes. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const ASK_USAGE = '"include_usage":true';

/**
 * What to change in a body so that the engine knows its model and tells a stream's usage.
 * Every member named `model` is changed, since which of two counts is the engine's parser's choice.
 *
 * @returns splices in the order of the bytes, none overlapping; empty where the body can go as it is
 */
export function planRewrite(
  bytes: Uint8Array,
  request: PeekedRequest,
  servedModel: string,
): readonly Splice[] {
  const { closeAt } = request;
  if (closeAt === null) return planFormRewrite(request, servedModel);
  const splices: Splice[] = [];
  const askUsage = request.stream && !request.wantsUsage;
  let hasOptions = false;
  for (const member of request.found) {
    if (member.name === 'model')
      splices.push({ start: member.start, end: member.end, text: asciiJson(servedModel) });
    else if (member.name === 'stream_options') {
      hasOptions = true;
      if (askUsage) planOptions(bytes, member, splices);
    }
  }
  if (askUsage && !hasOptions) {
    splices.push({ start: closeAt, end: closeAt, text: `,"stream_options":{${ASK_USAGE}}` });
  }
  return splices;
}

/** In a form a name stands as it is, in UTF-8. */
function planFormRewrite({ found }: PeekedRequest, servedModel: string): readonly Splice[] {
  const text = Buffer.from(servedModel).toString('latin1');
  return found.map(({ start, end }) => ({ start, end, text }));
}

/** A `stream_options` that is neither an object nor `null` is left alone: the engine refuses it in its own words. */
function planOptions(bytes: Uint8Array, member: FoundMember, splices: Splice[]): void {
  if (member.end - member.start === 4 && equalsAscii(bytes, member.start, 'null')) {
    splices.push({ start: member.start, end: member.end, text: `{${ASK_USAGE}}` });
    return;
  }
  const scan = scanJsonMembers(bytes.subarray(member.start, member.end), ['include_usage']);
  if (!scan.ok) return;
  if (scan.found.length > 0) {
    for (const { start, end } of scan.found) {
      splices.push({ start: member.start + start, end: member.start + end, text: 'true' });
    }
    return;
  }
  const at = member.start + scan.openAt + 1;
  splices.push({ start: at, end: at, text: scan.isEmpty ? ASK_USAGE : `${ASK_USAGE},` });
}

/**
 * @param allocate makes the array for the result, whose bytes are all written
 * @returns `bytes` itself where nothing is to change
 */
export function applySplices(
  bytes: Uint8Array,
  splices: readonly Splice[],
  allocate: (length: number) => Uint8Array,
): Uint8Array {
  if (splices.length === 0) return bytes;
  let length = bytes.length;
  for (const { start, end, text } of splices) length += text.length - (end - start);
  const result = allocate(length);
  let from = 0;
  let to = 0;
  for (const { start, end, text } of splices) {
    result.set(bytes.subarray(from, start), to);
    to += start - from;
    for (let index = 0; index < text.length; index++) result[to + index] = text.charCodeAt(index);
    to += text.length;
    from = end;
  }
  result.set(bytes.subarray(from), to);
  return result;
}

/** Of names that were declared: few, and each is asked for with every request. */
const asciiNames = new Map<string, string>();
const MAX_ASCII_NAMES = 1_000;

/** JSON that is ASCII alone, so that a character is a byte. */
function asciiJson(text: string): string {
  const known = asciiNames.get(text);
  if (known !== undefined) return known;
  const json = JSON.stringify(text).replace(
    NOT_ASCII,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (asciiNames.size >= MAX_ASCII_NAMES) asciiNames.clear();
  asciiNames.set(text, json);
  return json;
}

const NOT_ASCII = /[^\x20-\x7e]/g;
