import { describe, expect, it } from 'vitest';
import { matchEndpoint } from './match-endpoint.js';

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
  ])('%s %s is the engine endpoint %s', (method, url, path, task) => {
    expect(matchEndpoint(method, url)).toMatchObject({ kind: 'engine', path, task });
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
    ['/v1/responses', { kind: 'unknown' }],
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
    ['POST', '/v1/models', 'GET, HEAD'],
    ['DELETE', '/v1/models/chat-fast', 'GET, HEAD'],
  ])('%s %s is not allowed, but %s is', (method, url, allow) => {
    expect(matchEndpoint(method, url)).toEqual({ kind: 'methodNotAllowed', allow });
  });
});
