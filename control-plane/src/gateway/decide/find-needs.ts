import { type Needs, NO_NEEDS, needsOf } from '../../router/needs.js';
import { CLOSE_BRACKET, COLON, OPEN_BRACKET, QUOTE } from './json-bytes.js';
import { equalsAscii, type FoundMember } from './scan-json-members.js';

/** What is searched of one body, all members together: what stands behind it is not looked for. */
const MAX_SEARCHED_BYTES = 1024 * 1024;

const TOOLS = needsOf(['tools']);
const VISION = needsOf(['vision']);
const AUDIO = needsOf(['audio']);
const JSON_SCHEMA = needsOf(['json_schema']);

/** How parts of a conversation are named by OpenAI's and Anthropic's APIs: as a member, or as the value of `type`. */
const MARKS: readonly (readonly [mark: string, needs: Needs])[] = [
  ['"image_url"', VISION],
  ['"input_image"', VISION],
  ['"image"', VISION],
  ['"input_audio"', AUDIO],
];
const SCHEMA_MARK = '"json_schema"';
const TYPE = '"type"';

const SMALL_I = 0x69;

/** Top-level members that tell what a request needs of a model. */
export const NEED_NAMES = ['tools', 'response_format', 'text', 'messages', 'input'] as const;

/**
 * What a request needs of a model beside text, by marks in its bytes: nothing is parsed. A quote inside of a text is
 * escaped in JSON, so words that people write are no marks.
 *
 * @param found the body's members, those of `NEED_NAMES` among them
 */
export function findNeeds(bytes: Uint8Array, found: readonly FoundMember[]): Needs {
  let needs = NO_NEEDS;
  let left = MAX_SEARCHED_BYTES;
  for (const { name, start, end } of found) {
    const until = Math.min(end, start + left);
    switch (name) {
      case 'tools':
        if (isFilledList(bytes, start, end)) needs |= TOOLS;
        continue;
      case 'response_format':
      case 'text':
        if (hasSchema(bytes, start, until)) needs |= JSON_SCHEMA;
        break;
      case 'messages':
      case 'input':
        needs |= findParts(bytes, start, until);
        break;
      default:
        continue;
    }
    left -= until - start;
  }
  return needs;
}

function isFilledList(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== OPEN_BRACKET) return false;
  let at = start + 1;
  while (at < end && isSpace(bytes[at])) at++;
  return at < end && bytes[at] !== CLOSE_BRACKET;
}

function findParts(bytes: Uint8Array, start: number, end: number): Needs {
  let needs = NO_NEEDS;
  for (let at = start; at < end; at++) {
    // All marks begin with these two: a plain loop, since there is no need for more than one pass.
    if (bytes[at] !== QUOTE || bytes[at + 1] !== SMALL_I) continue;
    for (const [mark, needed] of MARKS) {
      if ((needs & needed) !== 0 || !equalsAscii(bytes, at, mark)) continue;
      if (isPart(bytes, start, at, at + mark.length, end)) needs |= needed;
    }
  }
  return needs;
}

function hasSchema(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] === QUOTE && equalsAscii(bytes, at, SCHEMA_MARK)) return true;
  }
  return false;
}

/** A whole text that consists of such a word alone is none: it is neither a member's name nor what `type` says. */
function isPart(bytes: Uint8Array, start: number, from: number, to: number, end: number): boolean {
  let after = to;
  while (after < end && isSpace(bytes[after])) after++;
  if (bytes[after] === COLON) return true;
  let before = from - 1;
  while (before > start && isSpace(bytes[before])) before--;
  if (bytes[before] !== COLON) return false;
  before--;
  while (before > start && isSpace(bytes[before])) before--;
  return before - TYPE.length + 1 >= start && equalsAscii(bytes, before - TYPE.length + 1, TYPE);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
