import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswerUsage, toUsage } from './read-usage.js';

const read = (text: string) => readAnswerUsage(Buffer.from(text));

describe('readAnswerUsage', () => {
  it.each([
    [
      '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}',
      { promptTokens: 1, completionTokens: 2, cachedTokens: 3 },
    ],
    [
      '{"usage":{"prompt_tokens":1,"total_tokens":1,"prompt_tokens_details":null},"data":[0.1,-2e-5]}\n',
      { promptTokens: 1, completionTokens: null, cachedTokens: null },
    ],
    ['{"usage":{"prompt_tokens":-1}}', { promptTokens: null, completionTokens: null, cachedTokens: null }],
    ['{"usage":null}', null],
    ['{"usage":"none"}', null],
    ['{"data":[]}', null],
    ['{}', null],
  ])('reads %s', (text, usage) => {
    expect(read(text)).toEqual(usage);
  });

  it.each(['', '{"data":[', '{"data":"x', '{"data":1', '<html>', '[]', '{}}'])('calls %j broken', (text) => {
    expect(read(text)).toBe('broken');
  });

  it('calls every part of an answer that is cut off broken', () => {
    const whole = JSON.stringify({ id: 'x', choices: [{ text: 'a"}]' }], usage: { prompt_tokens: 1 } });
    for (let length = 0; length < whole.length; length++) expect(read(whole.slice(0, length))).toBe('broken');
  });

  it('reads from any usage what a parser would', () => {
    const count = fc.oneof(fc.nat(), fc.constant(null), fc.string());
    const usage = fc.record(
      {
        prompt_tokens: count,
        completion_tokens: count,
        prompt_tokens_details: fc.record({ cached_tokens: count, x: fc.jsonValue() }, { requiredKeys: [] }),
        other: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(usage, fc.jsonValue(), (value, rest) => {
        expect(read(JSON.stringify({ rest, usage: value }))).toEqual(toUsage(value));
      }),
    );
  });
});
