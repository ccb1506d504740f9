import type { NetworkInterface } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { findPaths, isSameLan, lanKeys } from './find-paths.js';

function lan(
  address: string,
  gatewayMac: string | null = 'gw-1',
  kind: NetworkInterface['kind'] = 'wired',
): NetworkInterface {
  return { name: 'eth0', mac: '52:54:00:00:00:01', addresses: [address, 'fe80::1/64'], kind, gatewayMac };
}

const own = (address: string) => ({ interface: 'lan0', address });

describe('two interfaces are on one LAN', () => {
  it.each<[NetworkInterface, NetworkInterface, boolean]>([
    [lan('192.168.1.2/24'), lan('192.168.1.3/24'), true],
    // One LAN with two networks on it.
    [lan('192.168.1.2/24'), lan('10.0.0.3/24'), true],
    // Two homes with the same network.
    [lan('192.168.1.2/24'), lan('192.168.1.3/24', 'gw-2'), false],
    [lan('192.168.1.2/24', null), lan('192.168.1.3/24', 'gw-2'), true],
    [lan('192.168.1.2/24', null), lan('192.168.2.3/24', null), false],
    [lan('192.168.1.2/24', null), lan('192.168.1.3/25', null), false],
    [lan('100.64.0.1/32', null), lan('100.64.0.1/32', null), false],
  ])('%j and %j: %s', (one, other, same) => {
    expect(isSameLan(one, other)).toBe(same);
    expect(isSameLan(other, one)).toBe(same);
    if (same) expect(lanKeys(one).some((key) => lanKeys(other).includes(key))).toBe(true);
  });
});

describe('packets get onto the LAN of a sleeping host', () => {
  it('from addresses of ours in its network', () => {
    const addresses = [own('192.168.1.5/24'), own('10.0.0.5/8'), own('100.64.0.5/32'), own('127.0.0.1/8')];
    expect(findPaths([lan('192.168.1.20/24')], addresses, []).own).toEqual([own('192.168.1.5/24')]);
    expect(findPaths([lan('127.0.0.1/8')], addresses, []).own).toEqual([own('127.0.0.1/8')]);
    expect(findPaths([lan('192.168.1.20/16')], addresses, []).own).toEqual([]);
  });

  it('through awake neighbours, wired ones first, each told which of its LANs is meant', () => {
    const awake = [
      { host: 'air', interfaces: [lan('192.168.1.7/24', 'gw-1', 'wireless')] },
      { host: 'far', interfaces: [lan('192.168.1.8/24', 'gw-2')] },
      { host: 'two', interfaces: [lan('10.0.0.1/24', 'gw-9'), lan('192.168.1.9/24')] },
      { host: 'shy', interfaces: [lan('192.168.1.10/24', null)] },
    ];
    expect(findPaths([lan('192.168.1.20/24')], [], awake).relays).toEqual([
      { host: 'two', gatewayMac: 'gw-1' },
      { host: 'shy', gatewayMac: null },
      { host: 'air', gatewayMac: 'gw-1' },
    ]);
  });

  it('by no path to a host of which no interface is known', () => {
    expect(
      findPaths([], [own('192.168.1.5/24')], [{ host: 'a', interfaces: [lan('192.168.1.7/24')] }]),
    ).toEqual({
      own: [],
      relays: [],
    });
  });
});
