import { describe, expect, it } from 'vitest';
import { classifyPath, isServed, type Surface } from './classify-path.js';

describe('classifyPath', () => {
  const cases: [string, Surface][] = [
    ['/v1/chat/completions', 'gateway'],
    ['/v1', 'gateway'],
    ['/v1/anything', 'gateway'],
    ['/chat/completions', 'gateway'],
    ['/completions', 'gateway'],
    ['/embeddings', 'gateway'],
    ['/responses/resp_1', 'gateway'],
    ['/messages', 'gateway'],
    ['/audio/transcriptions', 'gateway'],
    ['/rerank', 'gateway'],
    ['/score', 'gateway'],
    // A base URL that ends with a slash.
    ['//v1/chat/completions', 'gateway'],
    ['///chat/completions', 'gateway'],
    ['/models', 'gateway'],
    ['/models/local/chat', 'gateway'],
    ['/api/v1/hosts', 'api'],
    ['/api/v1/openapi.json', 'api'],
    ['/api/v1/telemetry', 'feed'],
    ['/api/v1/telemetry/x', 'api'],
    ['/healthz', 'health'],
    ['/readyz', 'health'],
    ['/metrics', 'metrics'],
    ['/agent/v1/link', 'link'],
    ['/agent/v1/link2', 'none'],
    ['/install/', 'install'],
    ['/install/agent.sh', 'install'],
    ['/install', 'none'],
    ['/installer', 'none'],
    ['/', 'none'],
    ['/v12', 'none'],
    // Only what guards itself by more than its path.
    ['//api/v1/hosts', 'none'],
    ['//metrics', 'none'],
    ['//agent/v1/link', 'none'],
    ['//install/agent.sh', 'none'],
    ['//', 'none'],
    ['/chatter', 'none'],
    ['', 'none'],
  ];
  it.each(cases)('%s belongs to %s', (path, surface) => {
    expect(classifyPath(path)).toBe(surface);
  });
});

describe('isServed', () => {
  const plain = { encrypted: false };
  const tls = { encrypted: true };

  it('keeps the control API off the plain port for everybody but loopback', () => {
    expect(isServed('api', plain, false)).toBe(false);
    expect(isServed('feed', plain, false)).toBe(false);
    expect(isServed('api', plain, true)).toBe(true);
    expect(isServed('api', tls, false)).toBe(true);
  });

  it('hands programs out over TLS to everybody, in clear to this machine alone', () => {
    expect(isServed('install', tls, false)).toBe(true);
    expect(isServed('install', plain, true)).toBe(true);
    expect(isServed('install', plain, false)).toBe(false);
  });

  it('never takes an agent in clear, not even on loopback', () => {
    expect(isServed('link', plain, true)).toBe(false);
    expect(isServed('link', tls, false)).toBe(true);
  });

  it('answers the gateway, health and metrics on both ports', () => {
    for (const surface of ['gateway', 'health', 'metrics'] as const) {
      expect(isServed(surface, plain, false)).toBe(true);
      expect(isServed(surface, tls, false)).toBe(true);
    }
  });
});
