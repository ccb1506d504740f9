import { describe, expect, it } from 'vitest';
import { MASK, maskText } from './mask-text.js';

describe('a masked text', () => {
  it.each([
    ['a known secret', 'it said hunter-two-hunter', 'hunter-two-hunter'],
    ['a known secret inside JSON', JSON.stringify({ a: 'quo"ted secret' }), 'quo"ted secret'],
    ['a known secret inside an address', `x?k=${encodeURIComponent('a/b c+d=e')}`, 'a/b c+d=e'],
  ])('has no %s', (_, text, secret) => {
    const masked = maskText(text, [secret]);
    expect(masked).toContain(MASK);
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
      expect(masked).not.toContain(form);
    }
  });

  it.each([
    ['an admin token', 'aifa_0123456789abcdefghij', '0123456789abcdefghij'],
    ['a join token', 'aifj_abc.0123456789abcdefghij', '0123456789abcdefghij'],
    ["a provider's key", 'Incorrect API key provided: sk-proj-0123456789abcdef', '0123456789abcdef'],
    ['a bearer', 'authorization: Bearer abcdef123456', 'abcdef123456'],
    ['a user and password', 'http://me:pass123@armitage:8000/', 'pass123'],
    ['a query', 'https://hooks.example.net/x?sig=abcdef', 'abcdef'],
    ['a field called so', '{"apiKey":"abcdef","x":1}', 'abcdef'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----', 'MIIabc'],
  ])('has no %s that nobody knew', (_, text, secret) => {
    expect(maskText(text, [])).not.toContain(secret);
  });

  it('keeps what is none, and stays JSON', () => {
    const value = {
      url: 'http://armitage:8000/v1',
      model: 'Qwen/Qwen2.5-7B-Instruct-AWQ',
      apiKey: { env: 'OPENAI_API_KEY' },
      contextTokens: 16_384,
    };
    expect(JSON.parse(maskText(JSON.stringify(value), ['', 'abc']))).toEqual(value);
  });
});
