import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listNeeds } from '../../router/needs.js';
import { findNeeds, NEED_NAMES } from './find-needs.js';
import { scanJsonMembers } from './scan-json-members.js';

function needsOfText(text: string): readonly string[] {
  const bytes = new TextEncoder().encode(text);
  const scan = scanJsonMembers(bytes, NEED_NAMES);
  if (!scan.ok) throw new Error(`no JSON object: ${text}`);
  return listNeeds(findNeeds(bytes, scan.found));
}
const needs = (body: object, space?: number): readonly string[] =>
  needsOfText(JSON.stringify(body, null, space));

const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] });
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const audio = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } };
const schema = { type: 'json_schema', json_schema: { name: 'a', schema: {} } };

describe('what a request needs', () => {
  it.each<[string, object, string[]]>([
    ['text alone', user({ type: 'text', text: 'hello' }), []],
    ['an image', user({ type: 'text', text: 'what is it?' }, image), ['vision']],
    ['an image of the Responses API', { input: [{ content: [{ type: 'input_image' }] }] }, ['vision']],
    ["an image of Anthropic's API", user({ type: 'image', source: { data: 'AA' } }), ['vision']],
    ['audio', user(audio), ['audio']],
    ['audio and an image', user(audio, image), ['vision', 'audio']],
    ['tools', { messages: [], tools: [{ type: 'function' }] }, ['tools']],
    ['an empty list of tools', { messages: [], tools: [] }, []],
    ['no tools', { messages: [], tools: null }, []],
    ['a schema', { messages: [], response_format: schema }, ['json_schema']],
    ['a schema of the Responses API', { input: 'x', text: { format: schema } }, ['json_schema']],
    ['JSON of no schema', { messages: [], response_format: { type: 'json_object' } }, []],
    [
      'all of it',
      { ...user(image, audio), tools: [1], response_format: schema },
      ['tools', 'vision', 'audio', 'json_schema'],
    ],
    ['a text about images', { messages: [{ content: '{"type":"image_url","image_url":1}' }] }, []],
    ['a text that is just such a word', { messages: [{ role: 'user', content: 'image_url' }] }, []],
    ['a type that is another', user({ type: 'imagery' }), []],
    ['the mark outside of what is said', { metadata: image, messages: [] }, []],
  ])('with %s is %j', (_what, body, expected) => {
    expect(needs(body)).toEqual(expected);
    expect(needs(body, 2)).toEqual(expected);
  });

  it('is not looked for beyond a megabyte', () => {
    const filler = { type: 'text', text: 'x'.repeat(1024 * 1024) };
    expect(needs(user(image, filler))).toEqual(['vision']);
    expect(needs(user(filler, image))).toEqual([]);
  });

  it('of members that stand twice is that of both', () => {
    expect(needsOfText('{"tools":[1],"tools":[],"messages":[]}')).toEqual(['tools']);
  });

  it('is nothing for texts, whatever they say', () => {
    const words = fc.constantFrom('"image_url"', '"type":"image"', '"input_audio":', 'image', '\\', '"');
    const text = fc.array(fc.oneof(words, fc.string()), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        expect(needs({ messages: texts.map((content) => ({ role: 'user', content })) })).toEqual([]);
      }),
    );
  });
});
