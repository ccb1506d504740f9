import { describe, expect, it } from 'vitest';
import { isOwnHost } from './check-host.js';

const OWN = { hostName: 'Motoko', extraHosts: ['ai.example.org', 'box:8000'] };
const ADDRESSES = new Set(['127.0.0.1', '192.168.1.7', '0:0:0:0:0:0:0:1', 'fd7a:115c:a1e0:0:0:0:0:7']);

describe('isOwnHost', () => {
  it.each([
    'localhost',
    'localhost:8000',
    'LOCALHOST.',
    'fabric.localhost',
    'motoko',
    'MOTOKO:8443',
    'motoko.local',
    'motoko.local.:8000',
    'motoko.tail1234.ts.net',
    'motoko.tail1234.ts.net.:8443',
    '127.0.0.1:8000',
    '192.168.1.7',
    '[::1]:8000',
    '[fd7a:115c:a1e0::7]',
    'ai.example.org',
    'ai.example.org:443',
    'box',
    'box:9',
  ])('takes %s for ours', (host) => {
    expect(isOwnHost(host, OWN, ADDRESSES)).toBe(true);
  });

  it.each([
    '',
    'evil.test',
    'motoko.evil.test',
    'motoko.ts.net',
    'evil.tail1234.ts.net',
    'motoko.a.b.ts.net',
    'evil.motoko.local',
    'wintermute',
    'localhost.evil.test',
    'evillocalhost',
    '192.168.1.8',
    '8.8.8.8:8000',
    '127.0.0.2',
    '[::2]',
    '2130706433',
    'ai.example.org.evil.test',
    'evil@localhost',
    'localhost:80:80',
    'localhost/evil',
    'motoko,evil',
    '[::1',
    'http://localhost',
  ])('takes %j for foreign', (host) => {
    expect(isOwnHost(host, OWN, ADDRESSES)).toBe(false);
  });

  it('knows a machine whose name holds a domain by both its names', () => {
    const names = { hostName: 'motoko.lan', extraHosts: [] };
    for (const host of ['motoko', 'motoko.lan', 'motoko.local', 'motoko.tail1234.ts.net']) {
      expect(isOwnHost(host, names, ADDRESSES)).toBe(true);
    }
  });

  it('takes no name for that of a machine without one', () => {
    const names = { hostName: '', extraHosts: [] };
    for (const host of ['', '.local', 'x.local', '.tail.ts.net'])
      expect(isOwnHost(host, names, ADDRESSES)).toBe(false);
  });
});
