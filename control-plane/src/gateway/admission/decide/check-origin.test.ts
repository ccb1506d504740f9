import { describe, expect, it } from 'vitest';
import { checkOrigin } from './check-origin.js';

const ALLOWED = ['app://obsidian.md', 'https://notes.example.org'];

describe('checkOrigin', () => {
  it.each([
    [undefined, undefined, 'none'],
    [undefined, 'none', 'none'],
    [undefined, 'same-origin', 'none'],
    [undefined, 'cross-site', 'foreign'],
    [undefined, 'same-site', 'foreign'],
    ['app://obsidian.md', undefined, 'allowed'],
    ['APP://obsidian.md', 'cross-site', 'allowed'],
    ['https://notes.example.org', 'cross-site', 'allowed'],
    ['http://motoko:8000', 'same-origin', 'own'],
    ['https://motoko:8000', undefined, 'own'],
    ['http://motoko', undefined, 'foreign'],
    ['http://motoko:3000', 'same-site', 'foreign'],
    ['https://evil.test', 'cross-site', 'foreign'],
    ['https://notes.example.org.evil.test', undefined, 'foreign'],
    ['https://notes.example.org:8443', undefined, 'foreign'],
    ['null', undefined, 'foreign'],
    ['', undefined, 'foreign'],
  ] as const)('Origin %s, Sec-Fetch-Site %s: %s', (origin, secFetchSite, page) => {
    expect(checkOrigin({ host: 'motoko:8000', origin, secFetchSite }, ALLOWED)).toBe(page);
  });

  it('is not talked into trusting a page by an empty list', () => {
    expect(
      checkOrigin({ host: 'motoko:8000', origin: 'app://obsidian.md', secFetchSite: undefined }, []),
    ).toBe('foreign');
  });
});
