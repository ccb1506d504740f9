import { describe, expect, it } from 'vitest';
import { TargetAddresses } from './target-address.js';

describe('TargetAddresses', () => {
  it.each([
    ['engine', 'http://10.0.0.2:8000', 'http://10.0.0.2:8000', '/v1/embeddings'],
    ['engine', 'http://10.0.0.2:8000/', 'http://10.0.0.2:8000', '/v1/embeddings'],
    ['engine', 'http://10.0.0.2:8000/v1', 'http://10.0.0.2:8000', '/v1/embeddings'],
    ['engine', 'http://host/vllm//', 'http://host', '/vllm/v1/embeddings'],
    ['engine', 'http://[fd7a::2]:80/', 'http://[fd7a::2]', '/v1/embeddings'],
    ['provider', 'https://api.openai.com/v1', 'https://api.openai.com', '/v1/embeddings'],
    ['provider', 'https://host/openai/v1/', 'https://host', '/openai/v1/embeddings'],
    ['provider', 'https://host/api/v3', 'https://host', '/api/v3/embeddings'],
  ] as const)('of the %s %s are %s and %s', (kind, url, origin, path) => {
    const addresses = new TargetAddresses();
    expect(addresses.resolve(url, '/embeddings', kind)).toEqual({ kind: 'origin', origin, path });
    expect(addresses.resolve(url, '/embeddings', kind)).toEqual({ kind: 'origin', origin, path });
  });

  it('keeps an engine and a provider of one URL apart', () => {
    const addresses = new TargetAddresses();
    expect(addresses.resolve('http://a', '/embeddings', 'engine').path).toBe('/v1/embeddings');
    expect(addresses.resolve('http://a', '/embeddings', 'provider').path).toBe('/embeddings');
  });
});
