import { networkInterfaceSchema } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { type InterfaceAddress, type InterfaceFacts, selectInterfaces } from './select-interfaces.js';

const ETH = 'a8:a1:59:00:00:01';
const WIFI = 'd8:bb:c1:00:00:02';

const at = (mac: string, ...cidrs: string[]): InterfaceAddress[] =>
  cidrs.map((cidr) => ({ mac, cidr, internal: false }));
const wired = (mac: string): InterfaceFacts => ({ kind: 'wired', hasDevice: true, mac });
const wireless = (mac: string): InterfaceFacts => ({ kind: 'wireless', hasDevice: true, mac });
const virtual = (mac: string): InterfaceFacts => ({ kind: 'unknown', hasDevice: false, mac });
const LOOPBACK: InterfaceAddress[] = [{ mac: '00:00:00:00:00:00', cidr: '127.0.0.1/8', internal: true }];
const none = new Map<string, string>();

describe('the interfaces that a wake could go to', () => {
  it('are the wired and the wireless one, with addresses, prefixes and the gateway’s MAC', () => {
    const facts = new Map([
      ['enp5s0', wired(ETH)],
      ['wlan0', wireless(WIFI)],
      ['docker0', virtual('02:42:00:00:00:01')],
    ]);
    const selected = selectInterfaces(
      {
        lo: LOOPBACK,
        enp5s0: at(ETH.toUpperCase(), '192.168.1.20/24', 'fe80::1/64'),
        wlan0: at(WIFI, '192.168.1.21/24'),
        docker0: at('02:42:00:00:00:01', '172.17.0.1/16'),
        tailscale0: at('00:00:00:00:00:00', '100.101.102.103/32'),
      },
      facts,
      new Map([['enp5s0', '00:11:22:33:44:55']]),
    );
    expect(selected).toEqual([
      {
        name: 'enp5s0',
        mac: ETH,
        addresses: ['192.168.1.20/24', 'fe80::1/64'],
        kind: 'wired',
        gatewayMac: '00:11:22:33:44:55',
      },
      { name: 'wlan0', mac: WIFI, addresses: ['192.168.1.21/24'], kind: 'wireless', gatewayMac: null },
    ]);
  });

  it('include a bridge that took over the card’s addresses, as what the card is', () => {
    const facts = new Map([
      ['eno1', wired(ETH)],
      ['vmbr0', virtual(ETH)],
    ]);
    const selected = selectInterfaces(
      { vmbr0: at(ETH, '10.0.0.2/24') },
      facts,
      new Map([['vmbr0', '00:11:22:33:44:55']]),
    );
    expect(selected).toMatchObject([
      { name: 'vmbr0', mac: ETH, kind: 'wired', gatewayMac: '00:11:22:33:44:55' },
    ]);
  });

  it('leave out what has no device while others have one', () => {
    const facts = new Map([
      ['eno1', wired(ETH)],
      ['macsec0', virtual('0e:00:00:00:00:09')],
    ]);
    const selected = selectInterfaces(
      { eno1: at(ETH, '10.0.0.2/24'), macsec0: at('0e:00:00:00:00:09', '10.9.0.1/24') },
      facts,
      none,
    );
    expect(selected.map(({ name }) => name)).toEqual(['eno1']);
  });

  it('are told by name and MAC in a namespace, where nothing has a device', () => {
    const facts = new Map([
      ['eth0', virtual('0e:00:00:00:00:01')],
      ['docker0', virtual('0e:00:00:00:00:02')],
    ]);
    const addresses = {
      eth0: at('0e:00:00:00:00:01', '10.88.0.5/16'),
      docker0: at('0e:00:00:00:00:02', '172.17.0.1/16'),
    };
    expect(selectInterfaces(addresses, facts, none).map(({ name }) => name)).toEqual(['eth0']);
  });

  it('of Windows leave out Hyper-V’s own switches and keep one that carries the card', () => {
    const facts = new Map<string, InterfaceFacts>([
      ['Ethernet', { kind: 'wired', hasDevice: null, mac: null }],
    ]);
    const selected = selectInterfaces(
      {
        Ethernet: at(ETH, '192.168.1.20/24'),
        'vEthernet (Default Switch)': at('00:15:5d:01:02:03', '172.28.0.1/20'),
        'vEthernet (WSL (Hyper-V firewall))': at('00:15:5d:04:05:06', '172.29.0.1/20'),
        Tailscale: at('00:00:00:00:00:00', '100.64.0.3/32'),
      },
      facts,
      none,
    );
    expect(selected.map(({ name, kind }) => [name, kind])).toEqual([['Ethernet', 'wired']]);
  });

  it('may have no address that is a prefix, and an unknown kind', () => {
    expect(selectInterfaces({ eth0: [{ mac: ETH, cidr: null, internal: false }] }, new Map(), none)).toEqual([
      { name: 'eth0', mac: ETH, addresses: [], kind: 'unknown', gatewayMac: null },
    ]);
  });

  it('are left out without a usable MAC', () => {
    const addresses = { a: at('', '10.0.0.1/24'), b: at('not a mac', '10.0.0.2/24'), c: [], d: undefined };
    expect(selectInterfaces(addresses, new Map(), none)).toEqual([]);
  });

  it('fit the wire, however many there are', () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [
        `eth${index}${'x'.repeat(200)}`,
        at(
          `a8:a1:59:00:00:${index.toString(16).padStart(2, '0')}`,
          ...Array.from({ length: 50 }, () => '10.0.0.1/24'),
        ),
      ]),
    );
    const selected = selectInterfaces(many, new Map(), none);
    expect(selected).toHaveLength(32);
    for (const one of selected) expect(networkInterfaceSchema.safeParse(one).success).toBe(true);
  });
});
