import type { PeekedRequest } from './peek-request.js';
import { equalsAscii, type FoundMember, scanJsonMembers } from './scan-json-members.js';

/** `[start, end)` of the body is replaced by `text`. */
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
  const splices: Splice[] = [];
  const askUsage = request.stream && !request.wantsUsage;
  let hasOptions = false;
  for (const member of request.found) {
    if (member.name === 'model')
      splices.push({ start: member.start, end: member.end, text: JSON.stringify(servedModel) });
    else if (member.name === 'stream_options') {
      hasOptions = true;
      if (askUsage) planOptions(bytes, member, splices);
    }
  }
  if (askUsage && !hasOptions) {
    splices.push({ start: request.closeAt, end: request.closeAt, text: `,"stream_options":{${ASK_USAGE}}` });
  }
  return splices;
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

const utf8 = new TextEncoder();

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
  const texts = splices.map((splice) => utf8.encode(splice.text));
  let length = bytes.length;
  for (let index = 0; index < splices.length; index++) {
    const splice = splices[index] as Splice;
    length += (texts[index] as Uint8Array).length - (splice.end - splice.start);
  }
  const result = allocate(length);
  let from = 0;
  let to = 0;
  for (let index = 0; index < splices.length; index++) {
    const splice = splices[index] as Splice;
    const text = texts[index] as Uint8Array;
    result.set(bytes.subarray(from, splice.start), to);
    to += splice.start - from;
    result.set(text, to);
    to += text.length;
    from = splice.end;
  }
  result.set(bytes.subarray(from), to);
  return result;
}
