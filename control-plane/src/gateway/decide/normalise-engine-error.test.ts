import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseEngineError } from './normalise-engine-error.js';

const normalise = (body: unknown, status = 400) =>
  normaliseEngineError(status, typeof body === 'string' ? body : JSON.stringify(body), 'messages');

describe('normaliseEngineError', () => {
  it("gives vLLM's envelope OpenAI's type and code", () => {
    const error = { message: 'bad temperature', type: 'BadRequestError', param: 'temperature', code: 400 };
    expect(normalise({ error })).toEqual({
      status: 400,
      message: 'bad temperature',
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'invalid_request',
    });
  });

  it('takes the older flat form', () => {
    const flat = { object: 'error', message: 'bad top_p', type: 'BadRequestError', param: null, code: 400 };
    expect(normalise(flat)).toMatchObject({ message: 'bad top_p', code: 'invalid_request', param: null });
  });

  it("leaves a provider's own type, param and code", () => {
    const error = {
      message: 'no such tool',
      type: 'invalid_request_error',
      param: 'tools[0]',
      code: 'invalid_tool',
    };
    expect(normalise({ error })).toEqual({ status: 400, ...error });
  });

  it.each([
    [{ error: { message: 'Input length exceeds the limit', param: 'input_tokens', code: 400 } }],
    [{ error: { message: "This model's maximum context length is 4096 tokens.", code: 400 } }],
    [{ object: 'error', message: 'The decoder prompt is longer than the maximum model length of 2048' }],
    [{ error: { message: 'x', code: 'context_length_exceeded' } }],
    [{ error: "'max_tokens' is too large: This model's maximum context length is 8 tokens" }],
  ])('tells a context overflow as OpenAI does: %j', (body) => {
    expect(normalise(body)).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    });
  });

  it.each([
    [{ detail: 'not that' }, 'not that'],
    [
      { detail: [{ loc: ['body', 'messages', 0], msg: 'field required' }] },
      'body.messages.0: field required',
    ],
    [{ detail: [] }, 'The engine refused the request (422).'],
    [{ error: 'just words' }, 'just words'],
    [{ error: { code: '422' } }, 'The engine refused the request (422).'],
    ['<html>', 'The engine refused the request (422).'],
    ['', 'The engine refused the request (422).'],
    ['[]', 'The engine refused the request (422).'],
    ['null', 'The engine refused the request (422).'],
  ])('makes an envelope of %j', (body, message) => {
    expect(normalise(body, 422)).toMatchObject({ status: 422, message, code: 'invalid_request' });
  });

  it('cuts off a message that echoes the whole request', () => {
    expect(normalise({ error: { message: 'x'.repeat(100_000) } }).message.length).toBeLessThan(4_100);
  });

  it('never throws, and always gives a text code', () => {
    const fields = fc.record(
      {
        message: fc.jsonValue(),
        type: fc.jsonValue(),
        param: fc.jsonValue(),
        code: fc.jsonValue(),
        detail: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fields.map((error) => JSON.stringify({ error })),
        ),
        (text) => {
          expect(typeof normaliseEngineError(400, text, 'input').code).toBe('string');
        },
      ),
    );
  });
});
