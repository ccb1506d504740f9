import type { MagicPacketOrder, NetworkInterface } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { planVolley } from './plan-volley.js';

const GATEWAY = '52:54:00:00:00:01';
const OTHER_GATEWAY = '52:54:00:00:00:02';

const card = (over: Partial<NetworkInterface> = {}): NetworkInterface => ({
  name: 'eth0',
  mac: '52:54:00:aa:00:01',
  addresses: ['192.0.2.7/24'],
  kind: 'wired',
  gatewayMac: GATEWAY,
  ...over,
});

const order = (over: Partial<MagicPacketOrder> = {}): MagicPacketOrder => ({
  wakeId: 'w1',
  macs: ['52:54:00:bb:00:01'],
  gatewayMac: GATEWAY,
  addresses: [],
  ports: [9, 7],
  ...over,
});

describe('a volley of magic packets', () => {
  it('goes to the subnet and to everybody, on each port, from the interface’s own address', () => {
    const mac = '52:54:00:bb:00:01';
    expect(planVolley(order(), [card()])).toEqual([
      { from: '192.0.2.7', to: '192.0.2.255', port: 9, mac },
      { from: '192.0.2.7', to: '255.255.255.255', port: 9, mac },
      { from: '192.0.2.7', to: '192.0.2.255', port: 7, mac },
      { from: '192.0.2.7', to: '255.255.255.255', port: 7, mac },
    ]);
  });

  it('goes to the last addresses too, those of IPv4', () => {
    const sent = planVolley(order({ ports: [9], addresses: ['192.0.2.99', 'fe80::1', 'armitage'] }), [
      card(),
    ]);
    expect(sent.map(({ to }) => to)).toEqual(['192.0.2.255', '255.255.255.255', '192.0.2.99']);
  });

  it('leaves on the LAN that it is for, and on no other', () => {
    const cards = [card(), card({ name: 'eth1', addresses: ['198.51.100.4/25'], gatewayMac: OTHER_GATEWAY })];
    const from = (gatewayMac: string | null): string[] => [
      ...new Set(planVolley(order({ gatewayMac }), cards).map((packet) => packet.from)),
    ];
    expect(from(OTHER_GATEWAY)).toEqual(['198.51.100.4']);
    expect(from(null)).toEqual(['192.0.2.7', '198.51.100.4']);
    expect(from('52:54:00:00:00:09')).toEqual([]);
  });

  it.each([['192.0.2.7/32'], ['192.0.2.7/31'], ['fd00::7/64'], ['nonsense']])(
    'an address that has no broadcast sends nothing: %s',
    (address) => {
      expect(planVolley(order(), [card({ addresses: [address] })])).toEqual([]);
    },
  );

  it('is bounded, and a cut leaves out no host', () => {
    const macs = Array.from({ length: 8 }, (_, at) => `52:54:00:bb:00:0${at}`);
    const addresses = Array.from({ length: 8 }, (_, at) => `192.0.2.${at + 20}`);
    const cards = Array.from({ length: 32 }, (_, at) => card({ addresses: [`198.18.${at}.1/24`] }));
    const packets = planVolley(order({ macs, addresses, ports: [9, 7, 1, 2] }), cards);
    expect(packets).toHaveLength(256);
    expect(new Set(packets.map(({ mac }) => mac)).size).toBe(8);
  });
});
