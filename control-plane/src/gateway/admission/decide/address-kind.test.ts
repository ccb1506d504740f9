import { isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKind, isTrustedPair } from './address-kind.js';
import { canonicalAddress, parseAddress } from './parse-address.js';

describe('addressKind', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['100.64.0.0', 'tailnet'],
    ['100.127.255.255', 'tailnet'],
    ['::ffff:100.100.1.2', 'tailnet'],
    ['fd7a:115c:a1e0::1', 'tailnet'],
    ['FD7A:115C:A1E0:ab12::%tailscale0', 'tailnet'],
    ['100.63.255.255', 'other'],
    ['100.128.0.0', 'other'],
    ['fd7a:115c:a1e1::1', 'other'],
    ['192.168.1.7', 'other'],
    ['10.0.0.1', 'other'],
    ['172.17.0.1', 'other'],
    ['::', 'other'],
    ['::2', 'other'],
    ['::127.0.0.1', 'other'],
    ['fe80::1', 'other'],
    ['', 'other'],
    ['localhost', 'other'],
    ['127.0.0.1.evil.test', 'other'],
    ['127.1', 'other'],
    ['0177.0.0.1', 'other'],
    ['127.0.0.256', 'other'],
    [undefined, 'other'],
  ])('%s is of %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });
});

describe('isTrustedPair', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
    ['::1', '::1', true],
    ['100.70.1.1', '100.80.2.2', true],
    ['fd7a:115c:a1e0::5', 'fd7a:115c:a1e0::6', true],
    ['100.70.1.1', '::ffff:100.80.2.2', true],
    // A container's published port: the peer may be anybody.
    ['100.70.1.1', '172.17.0.2', false],
    ['127.0.0.1', '172.17.0.2', false],
    ['127.0.0.1', '100.80.2.2', false],
    ['100.70.1.1', '127.0.0.1', false],
    ['192.168.1.5', '192.168.1.7', false],
    ['100.70.1.1', '192.168.1.7', false],
    [undefined, undefined, false],
    ['127.0.0.1', undefined, false],
  ])('%s at %s: %s', (remote, local, trusted) => {
    expect(isTrustedPair(remote, local)).toBe(trusted);
  });
});

describe('parseAddress', () => {
  it('takes every IPv4 address that Node takes', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(canonicalAddress(text)).toBe(text);
      }),
    );
  });

  it('spells every IPv6 address that Node takes in one way', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        fc.pre(isIP(text) === 6);
        const canonical = canonicalAddress(text);
        const byNode = new SocketAddress({ address: text, family: 'ipv6' }).address;
        expect(canonical).not.toBeNull();
        expect(canonicalAddress(byNode)).toBe(canonical);
      }),
    );
  });

  it('takes nothing that Node does not take', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.%g') }), (text) => {
        if (parseAddress(text) !== null) expect(isIP(text.split('%')[0] ?? '')).not.toBe(0);
      }),
      { numRuns: 3_000 },
    );
  });
});
