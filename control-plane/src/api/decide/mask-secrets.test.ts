import { describe, expect, test } from 'vitest';
import { holdsSecret, summariseBody } from './mask-secrets.js';

const summary = (value: unknown) => summariseBody(JSON.stringify(value), 'application/json');

describe('a summary of what was sent', () => {
  test.each([
    [{ apiKey: 'x' }, { apiKey: '(masked)' }],
    [{ apiKey: { env: 'OPENAI_API_KEY' } }, { apiKey: { env: 'OPENAI_API_KEY' } }],
    [
      { nested: [{ clientSecret: 'x', contextTokens: 8 }] },
      { nested: [{ clientSecret: '(masked)', contextTokens: 8 }] },
    ],
    [{ note: 'sk-live-1' }, { note: '(masked)' }],
    [{ url: 'https://a:b@c/d?sig=e' }, { url: 'https://…@c/d?…' }],
    [{ file: 'a\nb' }, { file: '(3 characters)' }],
    [['x'.repeat(300)], ['(300 characters)']],
    [null, null],
    [7, 7],
  ])('of %j is %j', (value, expected) => {
    expect(summary(value)).toEqual(expected);
  });

  test('is bounded, whatever is sent', () => {
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`member-${index}`, index]));
    expect(JSON.stringify(summary(wide)).length).toBeLessThan(2_000);
    let deep: unknown = 'x';
    for (let count = 0; count < 500; count += 1) deep = { deep };
    expect(JSON.stringify(summary(deep)).length).toBeLessThan(200);
    expect(summary(Array.from({ length: 50 }, () => 1))).toHaveLength(21);
  });

  test('of what is no JSON says how much it was', () => {
    expect(summariseBody('a: 1', 'text/yaml')).toEqual({ contentType: 'text/yaml', characters: 4 });
    expect(summariseBody('', undefined)).toBeNull();
  });
});

describe('an answer holds a secret', () => {
  test.each([
    [{ token: 'aifj_1.2.3' }, true],
    [{ items: [{ key: 'x' }] }, true],
    [{ value: 'aifk_x' }, true],
    [{ contextTokens: 8, name: 'a', apiKey: null }, false],
    [{ name: 'token' }, false],
  ])('%j: %s', (value, expected) => {
    expect(holdsSecret(value)).toBe(expected);
  });
});
