import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseServerUrl } from './parse-server-url.js';

describe('parseServerUrl', () => {
  test.each([
    ['https://motoko:8443', 'https://motoko:8443', 'motoko', 8443],
    ['https://motoko:8443/', 'https://motoko:8443', 'motoko', 8443],
    ['motoko', 'https://motoko:8443', 'motoko', 8443],
    ['motoko:9000', 'https://motoko:9000', 'motoko', 9000],
    ['  https://MOTOKO  ', 'https://motoko:8443', 'motoko', 8443],
    ['https://motoko:443', 'https://motoko:443', 'motoko', 443],
    ['https://192.0.2.7', 'https://192.0.2.7:8443', '192.0.2.7', 8443],
    ['https://[::1]:8443', 'https://[::1]:8443', '::1', 8443],
    ['[fd7a:115c:a1e0::1]', 'https://[fd7a:115c:a1e0::1]:8443', 'fd7a:115c:a1e0::1', 8443],
  ])('takes %j', (text, url, host, port) => {
    expect(parseServerUrl(text)).toEqual({ ok: true, address: { url, host, port } });
  });

  test.each([
    ['http://motoko:8000', 'TLS only'],
    ['ws://motoko', 'TLS only'],
    ['', 'not an address'],
    ['https://', 'not an address'],
    ['https://motoko:99999', 'not an address'],
    ['https://motoko:0', 'port 0'],
    ['https://motoko/agent', 'behind the port'],
    ['https://motoko:8443?x=1', 'behind the port'],
  ])('refuses %j and says why', (text, why) => {
    expect(parseServerUrl(text)).toMatchObject({ ok: false, detail: expect.stringContaining(why) });
  });

  test('a password in the address is refused and never repeated', () => {
    const refused = parseServerUrl('https://anna:geheim@motoko:8443');
    expect(refused.ok).toBe(false);
    expect(JSON.stringify(refused)).not.toContain('geheim');
  });

  test('any text is taken or refused, and what is taken is taken again the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (text) => {
        const parsed = parseServerUrl(text);
        if (parsed.ok) expect(parseServerUrl(parsed.address.url)).toEqual(parsed);
        else expect(parsed.detail.length).toBeGreaterThan(0);
      }),
    );
  });
});
