import { describe, expect, it } from 'vitest';
import { directedBroadcast, magicPacket } from './magic-packet.js';

describe('magicPacket', () => {
  it('is six 0xFF and sixteen times the MAC', () => {
    const packet = magicPacket('52:54:00:ab:CD:ef');
    expect(packet).toHaveLength(102);
    expect([...packet.subarray(0, 6)]).toEqual([255, 255, 255, 255, 255, 255]);
    for (let copy = 0; copy < 16; copy++) {
      expect([...packet.subarray(6 + copy * 6, 12 + copy * 6)]).toEqual([0x52, 0x54, 0, 0xab, 0xcd, 0xef]);
    }
  });

  it.each(['', '52:54:00:12:34', '52:54:00:12:34:5g', '52-54-00-12-34-56', '52:54:00:12:34:56:78'])(
    'refuses %j',
    (mac) => {
      expect(() => magicPacket(mac)).toThrow(RangeError);
    },
  );
});

describe('directedBroadcast', () => {
  it.each([
    ['192.168.1.20/24', '192.168.1.255'],
    ['10.1.2.3/8', '10.255.255.255'],
    ['192.0.2.130/25', '192.0.2.255'],
    ['192.0.2.7/25', '192.0.2.127'],
    ['172.16.5.9/30', '172.16.5.11'],
    ['255.255.255.254/1', '255.255.255.255'],
    ['192.168.1.20/0', '255.255.255.255'],
  ])('of %s is %s', (address, broadcast) => {
    expect(directedBroadcast(address)).toBe(broadcast);
  });

  it.each(['192.168.1.20', '192.168.1.20/31', '192.168.1.20/32', '192.168.1.300/24', 'fe80::1/64', 'x/24'])(
    'has none for %s',
    (address) => {
      expect(directedBroadcast(address)).toBeNull();
    },
  );
});
