import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RESPONSES_BODY } from './body-shapes.js';
import { peekForm } from './peek-form.js';
import { peekRequest } from './peek-request.js';
import { applySplices, planRewrite } from './rewrite-body.js';
import { MultipartScanner } from './scan-multipart.js';

function rewrite(body: string, servedModel = 'served'): string {
  const bytes = new TextEncoder().encode(body);
  const peek = peekRequest(bytes, 1024 * 1024);
  if (!peek.ok) throw new Error(peek.error.message);
  const result = applySplices(
    bytes,
    planRewrite(bytes, peek.request, servedModel),
    (length) => new Uint8Array(length),
  );
  return new TextDecoder('utf-8', { fatal: true }).decode(result);
}

describe('the rewritten body', () => {
  it.each([
    ['{"model":"a"}', '{"model":"served"}'],
    ['{ "model" : "a" , "x":1.0 }', '{ "model" : "served" , "x":1.0 }'],
    ['{"model":"a","model":"b"}', '{"model":"served","model":"served"}'],
    ['{"m\\u006fdel":"a"}', '{"m\\u006fdel":"served"}'],
    [
      '{"seed":12345678901234567890,"model":"a","1":1,"0":0}',
      '{"seed":12345678901234567890,"model":"served","1":1,"0":0}',
    ],
    [
      '{"model":"a","stream":false,"stream_options":{}}',
      '{"model":"served","stream":false,"stream_options":{}}',
    ],
    [
      '{"model":"a","stream":true}',
      '{"model":"served","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"a","stream":true }',
      '{"model":"served","stream":true ,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"stream_options":null,"model":"a","stream":true}',
      '{"stream_options":{"include_usage":true},"model":"served","stream":true}',
    ],
    [
      '{"model":"a","stream":true,"stream_options":{}}',
      '{"model":"served","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"a","stream":true,"stream_options":{ "x":1}}',
      '{"model":"served","stream":true,"stream_options":{"include_usage":true, "x":1}}',
    ],
    [
      '{"model":"a","stream":true,"stream_options":{"include_usage":false,"x":1}}',
      '{"model":"served","stream":true,"stream_options":{"include_usage":true,"x":1}}',
    ],
    [
      '{"model":"a","stream":true,"stream_options":{"include_usage":true}}',
      '{"model":"served","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"a","stream":true,"stream_options":"odd"}',
      '{"model":"served","stream":true,"stream_options":"odd"}',
    ],
  ])('of %s is %s', (body, expected) => {
    expect(rewrite(body)).toBe(expected);
  });

  it('is not asked for usage where the API tells it anyway', () => {
    const bytes = Buffer.from('{"model":"a","stream":true,"stream_options":{},"input":"x"}');
    const peek = peekRequest(bytes, 1024, RESPONSES_BODY);
    if (!peek.ok) throw new Error(peek.error.message);
    expect(applySplices(bytes, planRewrite(bytes, peek.request, 'served'), Buffer.alloc).toString()).toBe(
      '{"model":"served","stream":true,"stream_options":{},"input":"x"}',
    );
  });

  it.each(['served', 'served/größer – 漢', ''])(
    'is a form with every model named "%s", and else as it was',
    (name) => {
      const part = (disposition: string, content: string): string =>
        `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
      const form = (one: string, two: string): string =>
        `${part('name=model', one)}${part('name="file"; filename="ä.wav"', '\r\n\0 model')}${part('name="model"', two)}--b--\r\n`;
      const bytes = Buffer.from(form('a', 'whisper'));
      const scanner = new MultipartScanner('b', ['model', 'stream']);
      scanner.push(bytes);
      const peek = peekForm(scanner.end());
      if (!peek.ok) throw new Error(peek.error.message);
      expect(peek.request).toMatchObject({ model: 'whisper', stream: false, wantsUsage: true });
      const rewritten = applySplices(bytes, planRewrite(bytes, peek.request, name), Buffer.alloc);
      expect(Buffer.from(rewritten).toString()).toBe(form(name, name));
    },
  );

  it('carries a name of any characters', () => {
    const name = 'モデル/"quoted"\\ü\n';
    expect(JSON.parse(rewrite('{"model":"a"}', name))).toEqual({ model: name });
  });

  it('differs from the original, for any JSON body, in model and stream_options alone', () => {
    const key = fc.oneof(
      fc.constantFrom('stream', 'stream_options', 'messages', '0', 'include_usage'),
      fc.string(),
    );
    const options = fc.oneof(
      fc.constant(null),
      fc.dictionary(
        fc.constantFrom('include_usage', 'x', 'include'),
        fc.oneof(fc.boolean(), fc.constant(null), fc.jsonValue()),
      ),
    );
    const body = fc.record(
      { stream: fc.oneof(fc.boolean(), fc.jsonValue()), stream_options: fc.oneof(options, fc.jsonValue()) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue()),
        body,
        fc.string(),
        fc.constantFrom(undefined, 2),
        (rest, known, served, indent) => {
          const original: Record<string, unknown> = { ...rest, ...known, model: 'chat-fast' };
          const text = JSON.stringify(original, null, indent);
          const parsed = JSON.parse(text);
          const { model, stream_options: after, ...others } = JSON.parse(rewrite(text, served));
          const { model: _model, stream_options: before, ...untouched } = parsed;

          expect(model).toBe(served);
          expect(others).toEqual(untouched);
          const isObject = typeof before === 'object' && before !== null && !Array.isArray(before);
          if (parsed.stream !== true) expect(after).toEqual(before);
          else if (before === undefined || before === null) expect(after).toEqual({ include_usage: true });
          else if (!isObject) expect(after).toEqual(before);
          else {
            const asked = before.include_usage;
            const isAsked = asked !== undefined && asked !== false && asked !== null;
            expect(after).toEqual(isAsked ? before : { ...before, include_usage: true });
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
