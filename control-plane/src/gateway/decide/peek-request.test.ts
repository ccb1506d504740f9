import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MESSAGES_BODY, RESPONSES_BODY, SCORES_BODY } from './body-shapes.js';
import { peekRequest } from './peek-request.js';

const CHECKED = 256 * 1024;
const peek = (body: string, checked = CHECKED) => peekRequest(new TextEncoder().encode(body), checked);

function request(body: string) {
  const result = peek(body);
  if (!result.ok) throw new Error(result.error.message);
  return result.request;
}

function error(body: string, checked = CHECKED) {
  const result = peek(body, checked);
  if (result.ok) throw new Error('was taken');
  return result.error;
}

describe('peekRequest', () => {
  it('reads the model, and nothing else is needed', () => {
    expect(request('{"model":"chat-fast"}')).toMatchObject({
      model: 'chat-fast',
      stream: false,
      wantsUsage: false,
      maxTokens: null,
      choices: 1,
      estimatedPromptTokens: 0,
    });
  });

  it.each([
    ['3', 3],
    ['0', 1],
    ['null', 1],
    ['"2"', 1],
    ['1.5', 1],
  ])('reads "n": %s as %i choices', (n, choices) => {
    expect(request(`{"model":"a","n":${n}}`).choices).toBe(choices);
  });

  it.each([
    ['{"model":"a","model":"b"}', 'b'],
    ['{"model":1,"model":"b"}', 'b'],
    ['{"model":"lo\\u0063al/chat"}', 'local/chat'],
    ['{"model":"ü"}', 'ü'],
    ['{"a":{"model":"x"},"model":"b","b":[{"model":"y"}]}', 'b'],
  ])('reads %s as JSON.parse does', (body, model) => {
    expect(request(body).model).toBe(model);
  });

  it.each([
    ['true', true],
    ['false', false],
    ['null', false],
    ['1', false],
    ['"true"', false],
  ])('takes "stream": %s as %s', (value, stream) => {
    expect(request(`{"model":"a","stream":${value}}`).stream).toBe(stream);
  });

  it.each([
    ['{"include_usage":true}', true],
    ['{"include_usage":1}', true],
    ['{"include_usage":false}', false],
    ['{"include_usage":null}', false],
    ['{"include_usage":true,"include_usage":false}', false],
    ['{"continuous_usage_stats":true}', false],
    ['{}', false],
    ['null', false],
    ['[]', false],
    ['"include_usage"', false],
  ])('reads from "stream_options": %s whether usage is wanted', (value, wants) => {
    expect(request(`{"model":"a","stream":true,"stream_options":${value}}`).wantsUsage).toBe(wants);
  });

  it.each([
    ['', 'invalid_json', 'empty', null],
    ['   ', 'invalid_json', 'it ends at byte 3', null],
    ['not json', 'invalid_json', 'byte 1 (line 1, column 2)', null],
    ['<html>', 'invalid_json', '"<" stands at byte 0 (line 1, column 1) where a value was expected', null],
    ['{"model":"a",\n "messages":[}', 'invalid_json', '"}" stands at byte 27 (line 2, column 14)', null],
    ['{"model":"a"', 'invalid_json', 'it ends at byte 12', null],
    ['{"model":"a"}}', 'invalid_json', '"}" stands at byte 13', null],
    ['{"model":"a","x":"\u0001"}', 'invalid_json', 'byte 0x01 stands', null],
    ['{"model":"a","x":tru}', 'invalid_json', 'where true was expected', null],
    ['[]', 'invalid_request', 'must be a JSON object', null],
    ['"chat-fast"', 'invalid_request', 'must be a JSON object', null],
    ['null', 'invalid_request', 'must be a JSON object', null],
    ['[1,', 'invalid_json', 'it ends at byte 3', null],
    ['{}', 'missing_required_parameter', 'lacks "model"', 'model'],
    ['{"Model":"a"}', 'missing_required_parameter', 'lacks "model"', 'model'],
    ['{"model":null}', 'invalid_request', 'must be a name', 'model'],
    ['{"model":""}', 'invalid_request', 'must be a name', 'model'],
    ['{"model":["a"]}', 'invalid_request', 'must be a name', 'model'],
    ['{"model":7}', 'invalid_request', 'must be a name', 'model'],
  ])('refuses %s with what and where', (body, code, message, param) => {
    const refused = error(body);
    expect(refused).toMatchObject({ code, param });
    expect(refused.message).toContain(message);
  });

  it('refuses a name of kilobytes, and nesting that would break an engine', () => {
    expect(error(`{"model":"${'a'.repeat(2_000)}"}`).message).toContain('at most 1024 bytes');
    const deep = `{"model":"a","x":${'['.repeat(300)}${']'.repeat(300)}}`;
    expect(error(deep)).toMatchObject({ code: 'invalid_json' });
    expect(error(deep).message).toContain('nested deeper than 200');
  });

  it.each([
    ['"max_tokens":64', 64],
    ['"max_completion_tokens":128', 128],
    ['"max_tokens":64,"max_completion_tokens":null', 64],
    ['"max_tokens":"many"', null],
    ['"max_tokens":-1', null],
  ])('reads from %s how long the answer may be', (members, maxTokens) => {
    expect(request(`{"model":"a",${members}}`).maxTokens).toBe(maxTokens);
  });

  it('follows only the structure of a body beyond the bound, and still says where it breaks', () => {
    expect(peek('{"model":"a","x":[nonsense]}', 4).ok).toBe(true);
    expect(error('{"model":"a","x":[1', 4).message).toContain('stands at byte 17');
    expect(error('{"model":"a" "x"}', 4).message).toContain('byte 13');
    expect(error('[{"model":"a"}]', 4).code).toBe('invalid_request');
  });

  it('guesses the tokens of a prompt low, and not at all where there is an image or a sound', () => {
    const text = 'word '.repeat(4_000);
    expect(request(JSON.stringify({ model: 'a', messages: [{ content: text }] })).estimatedPromptTokens).toBe(
      3336,
    );
    expect(request(JSON.stringify({ model: 'a', input: [text] })).estimatedPromptTokens).toBe(3334);
    const [input, tools] = [[text], [{ type: 'function' }]];
    const asked = request(JSON.stringify({ model: 'a', input, tools }));
    expect(asked.promptBytes).toBe(JSON.stringify(input).length + JSON.stringify(tools).length);
    // A sound is bare base64, which no mark of its own tells.
    const sound = { type: 'input_audio', input_audio: { data: 'A'.repeat(40_000), format: 'wav' } };
    expect(
      request(JSON.stringify({ model: 'a', messages: [{ role: 'user', content: [sound] }] })),
    ).toMatchObject({ estimatedPromptTokens: null, promptBytes: null });
    const url = `data:image/png;base64,${'A'.repeat(40_000)}`;
    expect(request(JSON.stringify({ model: 'a', messages: [{ url }] })).estimatedPromptTokens).toBeNull();
    expect(
      request(JSON.stringify({ model: 'a', prompt: 'x'.repeat(2_000_000) })).estimatedPromptTokens,
    ).toBeNull();
  });

  it('is not held up by bodies that are made to hold it up', () => {
    const bodies = [
      `{"model":"a","messages":"${';'.repeat(1_000_000)}"}`,
      `{"model":"a","messages":"${'\\"'.repeat(1_000_000)}"}`,
      `{"model":"a","x":[${'"",'.repeat(600_000)}1]}`,
      `{${'"model":"a",'.repeat(60)}"x":${' '.repeat(2_000_000)}1}`,
    ];
    // Of the processor: what others do on it is not the bodies' doing.
    const before = process.cpuUsage();
    for (const body of bodies) expect(peek(body).ok).toBe(true);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isChecked) => {
        peekRequest(bytes, isChecked ? 1_000 : 0);
      }),
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(200), (text, cut) => {
        peekRequest(new TextEncoder().encode(`{"model":"a","x":${text}}`.slice(0, cut)), 1_000);
      }),
    );
  });
});

describe('peekRequest of other endpoints', () => {
  const read = (body: string, shape: Parameters<typeof peekRequest>[2]) => {
    const result = peekRequest(Buffer.from(body), CHECKED, shape);
    if (!result.ok) throw new Error(result.error.message);
    return result.request;
  };

  it('reads a response', () => {
    const body =
      '{"model":"a","instructions":"123456","input":"1234","stream":true,"max_output_tokens":9,"n":3}';
    expect(read(body, RESPONSES_BODY)).toMatchObject({
      ...{ stream: true, wantsUsage: true, maxTokens: 9, choices: 1, promptBytes: 14 },
      estimatedPromptTokens: 3,
    });
  });

  it('refuses a response that is to be fetched later', () => {
    const body = Buffer.from('{"model":"a","input":"x","background":true}');
    const result = peekRequest(body, CHECKED, RESPONSES_BODY);
    expect(result).toMatchObject({ ok: false, error: { code: 'invalid_request', param: 'background' } });
    expect(read('{"model":"a","background":false}', RESPONSES_BODY).model).toBe('a');
  });

  it('reads a message, and guesses nothing of an image', () => {
    const body = '{"model":"a","max_tokens":9,"system":"1234","messages":[],"tools":[1]}';
    expect(read(body, MESSAGES_BODY)).toMatchObject({ maxTokens: 9, promptBytes: 11, wantsUsage: true });
    const image = `{"model":"a","messages":[{"source":{"type":"base64","data":"${'A'.repeat(9_000)}"}}]}`;
    expect(read(image, MESSAGES_BODY).estimatedPromptTokens).toBeNull();
  });

  it.each([
    '{"model":"a","query":"1234","documents":["12","34"]}',
    '{"model":"a","text_1":"1234","text_2":["12","34"]}',
    '{"model":"a","queries":"1234","items":["12","34"]}',
    '{"model":"a","data_1":"1234","data_2":["12","34"]}',
  ])('reads what is to be scored: %s', (body) => {
    expect(read(body, SCORES_BODY)).toMatchObject({ promptBytes: 17, stream: false, maxTokens: null });
  });
});
