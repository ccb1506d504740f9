import { describe, expect, it } from 'vitest';
import { chooseOpenAddress } from './choose-open-address.js';

describe('the address that the port of an engine is open on', () => {
  it.each([
    ['tunnel', null, '192.168.1.20', '127.0.0.1'],
    ['tunnel', '0.0.0.0', '192.168.1.20', '127.0.0.1'],
    ['direct', null, '192.168.1.20', '192.168.1.20'],
    ['direct', null, '2001:db8::20', '2001:db8::20'],
    ['direct', null, '127.0.0.1', '127.0.0.1'],
    ['direct', '100.64.0.7', '192.168.1.20', '100.64.0.7'],
    ['direct', '0.0.0.0', '192.168.1.20', '0.0.0.0'],
    ['direct', '::', null, '::'],
    ['direct', null, null, '127.0.0.1'],
    ['direct', null, 'fe80::1%eth0', '127.0.0.1'],
    ['direct', '192.168.1.20', 'fe80::1%eth0', '192.168.1.20'],
  ] as const)('%s, the owner says %s, the link leaves from %s: %s', (reach, owner, link, expected) => {
    expect(chooseOpenAddress(reach, owner, link)).toBe(expected);
  });
});
