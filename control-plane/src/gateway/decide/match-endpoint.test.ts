import { describe, expect, it } from 'vitest';
import { errorFormOf, KNOWN_ENDPOINTS, matchEndpoint } from './match-endpoint.js';

describe('matchEndpoint', () => {
  it.each([
    ['POST', '/v1/chat/completions', '/chat/completions', 'chat'],
    ['POST', '/chat/completions', '/chat/completions', 'chat'],
    ['POST', '/v1/chat/completions/', '/chat/completions', 'chat'],
    ['POST', '/v1//chat/completions?api-version=2', '/chat/completions', 'chat'],
    ['POST', '/v1/completions', '/completions', 'chat'],
    ['POST', '/completions', '/completions', 'chat'],
    ['POST', '/v1/embeddings', '/embeddings', 'embeddings'],
    ['POST', '/embeddings?x=/models', '/embeddings', 'embeddings'],
    ['POST', '/v1/responses', '/responses', 'chat'],
    ['POST', '/responses', '/responses', 'chat'],
    ['POST', '/v1/messages?beta=true', '/messages', 'chat'],
    ['POST', '/messages', '/messages', 'chat'],
    ['POST', '/v1/messages/count_tokens?beta=true', '/messages/count_tokens', 'chat'],
    ['POST', '/messages/count_tokens', '/messages/count_tokens', 'chat'],
    ['POST', '/v1/audio/transcriptions', '/audio/transcriptions', 'transcription'],
    ['POST', '/audio/translations', '/audio/translations', 'transcription'],
    ['POST', '/v1/rerank', '/rerank', 'rerank'],
    ['POST', '/score', '/score', 'rerank'],
  ])('%s %s is the engine endpoint %s', (method, url, path, task) => {
    expect(matchEndpoint(method, url)).toMatchObject({
      kind: 'engine',
      path,
      tasks: expect.arrayContaining([task]),
    });
    expect(KNOWN_ENDPOINTS).toContain(`POST /v1${path}`);
  });

  it.each([
    ['/v1/models', { kind: 'models' }],
    ['/models/', { kind: 'models' }],
    ['/v1/models/chat-fast', { kind: 'model', id: 'chat-fast' }],
    ['/v1/models/local/chat', { kind: 'model', id: 'local/chat' }],
    ['/models/openai%2Fstrong', { kind: 'model', id: 'openai/strong' }],
    ['/v1/models/%ff', { kind: 'unknown' }],
    ['/v1', { kind: 'unknown' }],
    ['/v1/', { kind: 'unknown' }],
    ['/', { kind: 'unknown' }],
    ['', { kind: 'unknown' }],
    ['/v1/responses/resp_1', { kind: 'storedResponse' }],
    ['/responses/resp_1/input_items', { kind: 'storedResponse' }],
    ['/v1/audio', { kind: 'unknown' }],
    ['/v1/audio/speech', { kind: 'unknown' }],
    ['/v1/messages/batches', { kind: 'unknown' }],
    ['/v2/rerank', { kind: 'unknown' }],
    ['/v1/chat', { kind: 'unknown' }],
    ['/V1/models', { kind: 'unknown' }],
    ['/v1/v1/models', { kind: 'unknown' }],
    ['http://other/v1/models', { kind: 'unknown' }],
  ])('GET %s is %o', (url, match) => {
    expect(matchEndpoint('GET', url)).toEqual(match);
    expect(matchEndpoint('HEAD', url)).toEqual(match);
  });

  it.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/embeddings', 'POST'],
    ['OPTIONS', '/completions', 'POST'],
    ['GET', '/v1/responses', 'POST'],
    ['GET', '/messages', 'POST'],
    ['GET', '/v1/messages/count_tokens', 'POST'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['DELETE', '/v1/models/chat-fast', 'GET, HEAD'],
  ])('%s %s is not allowed, but %s is', (method, url, allow) => {
    expect(matchEndpoint(method, url)).toEqual({ kind: 'methodNotAllowed', allow });
  });

  it.each(['DELETE', 'POST'])('%s of a response by its id finds none', (method) => {
    expect(matchEndpoint(method, '/v1/responses/resp_1/cancel')).toEqual({ kind: 'storedResponse' });
  });
});

describe('errorFormOf', () => {
  it.each([
    ['/v1/messages', 'error'],
    ['/messages/?beta=true', 'error'],
    ['/v1/messages/count_tokens', 'error'],
    ['/v1/messages2', undefined],
    ['/v1/chat/completions', undefined],
    ['/v1/responses', undefined],
  ])("%s has Anthropic's envelope: %s", (url, type) => {
    const fields = { message: 'x', type: 'server_error', param: null, code: null };
    expect(JSON.parse(errorFormOf(url).whole(fields, 500, 'r')).type).toBe(type);
  });
});
