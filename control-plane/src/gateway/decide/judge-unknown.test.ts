import { describe, expect, it } from 'vitest';
import { judgeUnknown } from './judge-unknown.js';

const responses = { isUniversal: false, name: 'responses' } as const;
const messages = { isUniversal: false, name: 'messages' } as const;
const chat = { isUniversal: true, name: 'chat' } as const;

const FASTAPI = '{"detail":"Not Found"}';
const NO_MODEL = '{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","code":404}}';
const NO_RESPONSE = `{"error":{"message":"Response with id 'resp_1' not found.","param":"response_id"}}`;

describe('judgeUnknown', () => {
  it.each([
    ['vLLM before it had the path', 404, FASTAPI],
    ['a path that knows only GET', 405, '{"detail":"Method Not Allowed"}'],
    ['vLLM with a model that cannot', 501, '{"error":{"message":"The model does not support Messages API"}}'],
    ['llama.cpp', 404, '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'],
    ['Ollama', 404, '404 page not found'],
    ['a proxy', 404, '<html>Not Found</html>'],
  ])('tells a missing path: %s', (_, status, text) => {
    expect(judgeUnknown(status, text, 'model_unknown_there', messages)).toBe('endpoint_unknown_there');
  });

  it('tells a missing model', () => {
    expect(judgeUnknown(404, NO_MODEL, 'model_unknown_there', messages)).toBe('model_unknown_there');
  });

  it("tells the client's own mistake: a response that is not there", () => {
    expect(judgeUnknown(404, NO_RESPONSE, 'model_unknown_there', responses)).toBe('clientError');
    expect(judgeUnknown(404, NO_RESPONSE, 'model_unknown_there', messages)).toBe('endpoint_unknown_there');
  });

  it('says nothing new of an endpoint that all have, nor of another status', () => {
    expect(judgeUnknown(404, FASTAPI, 'model_unknown_there', chat)).toBe('model_unknown_there');
    expect(judgeUnknown(500, FASTAPI, 'status_500', messages)).toBe('status_500');
    expect(judgeUnknown(422, FASTAPI, 'clientError', messages)).toBe('clientError');
  });
});
