import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvent, readFinished, readUsageBeside } from './read-event.js';

const read = (text: string) => {
  const bytes = Buffer.from(`data: before\n\n${text}data: {"choices":[],"usage":{"prompt_tokens":99}}\n\n`);
  const start = Buffer.byteLength('data: before\n\n');
  return readEvent(bytes, start, start + Buffer.byteLength(text));
};
const USAGE = { promptTokens: 3, completionTokens: 5, cachedTokens: null };
const USAGE_JSON = '"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}';

describe('readEvent', () => {
  it.each([
    ['data: [DONE]\n\n', 'done'],
    ['data:[DONE]\r\n\r\n', 'done'],
    ['data: [DONE', 'data'],
    ['data: [1,2]\n\n', 'data'],
    ['data: {"error":{"message":"x"}}\n\n', 'error'],
    ['data: { "error": {"message":"x"}}\n\n', 'error'],
    ['data: {"errors":1}\n\n', 'data'],
    ['event: x\ndata: [DONE]\n\n', 'done'],
    [': comment\n\n', 'data'],
    ['\n', 'data'],
    ['data\n\n', 'data'],
    ['id: 7\n\n', 'data'],
    ['data: {"choices":[{"delta":{"content":"hi"}}]}\n\n', 'data'],
    [`data: {"choices":[{"delta":{"content":"hi"}}],${USAGE_JSON}}\n\n`, 'data'],
    ['data: {"choices":[],"prompt_filter_results":[]}\n\n', 'data'],
    ['data: {"choices":[],"usage":null}\n\n', 'data'],
    ['data: {"choices":[],"usage":{\n\n', 'data'],
    ['data: {"x":"\\"choices\\":[]","choices":[{}],"usage":{}}\n\n', 'data'],
  ])('takes %j for %s', (text, kind) => {
    expect(read(text).kind).toBe(kind);
  });

  it.each([
    `data: {"id":"x","choices":[],${USAGE_JSON}}\n\n`,
    `data:{"choices": [ ] ,${USAGE_JSON}}\r\n\r\n`,
    `data: {${USAGE_JSON},"choices" : []}\n\n`,
    `event: chunk\ndata: {"choices":[],\ndata: ${USAGE_JSON}}\n\n`,
  ])('reads the usage of %j', (text) => {
    expect(read(text)).toEqual({ kind: 'usage', usage: USAGE });
  });

  it('never throws, whatever the bytes', () => {
    const soup = fc.string({
      unit: fc.constantFrom('data:', '"choices"', ':', '[', ']', '{', '}', '"usage"', '\n', ' ', 'ü'),
    });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary' })), (text) => {
        const bytes = Buffer.from(text);
        readEvent(bytes, 0, bytes.length);
      }),
    );
  });
});

describe('readUsageBeside', () => {
  it('reads the usage that a provider puts into the last event with choices', () => {
    const bytes = Buffer.from(`xdata: {"choices":[{"finish_reason":"stop"}],${USAGE_JSON}}\n\n`);
    expect(readUsageBeside(bytes, 1, bytes.length)).toEqual(USAGE);
  });

  it.each(['data: {"choices":[{}]}\n\n', 'data: {"usage":null}\n\n', 'data: x\n\n', ''])(
    'finds none in %j',
    (text) => {
      const bytes = Buffer.from(text);
      expect(readUsageBeside(bytes, 0, bytes.length)).toBeNull();
    },
  );
});

describe('readFinished', () => {
  it.each<[string, number[]]>([
    ['{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', [0]],
    ['{"choices":[{"index":2,"delta":{},"finish_reason": "length"}]}', [2]],
    ['{"choices":[{"index":0,"finish_reason":"stop"},{"index":1,"finish_reason":"stop"}]}', [0, 1]],
    ['{"choices":[{"text":"","finish_reason":"stop"}],"usage":{"prompt_tokens":1}}', [0]],
    ['{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}', []],
    ['{"choices":[{"index":0,"delta":{"content":"a"}}]}', []],
    ['{"choices":[{"index":0,"delta":{"content":"\\"finish_reason\\":\\"stop\\""}}]}', []],
    ['{"choices":[],"usage":{"finish_reason":"stop"}}', []],
    ['{"finish_reason":"stop"}', []],
    ['{"finish_reason":"stop"', []],
    ['[DONE]', []],
  ])('of %s is %j', (json, indices) => {
    const bytes = Buffer.from(`xdata: ${json}\n\nx`);
    expect(readFinished(bytes, 1, bytes.length - 1)).toEqual(indices);
  });
});
