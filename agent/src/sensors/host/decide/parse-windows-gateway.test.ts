import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWindowsGateway } from './parse-windows-gateway.js';

const ADDRESSES = {
  Ethernet: [{ mac: 'a8:a1:59:00:00:01', cidr: '192.168.1.20/24', internal: false }],
  'Wi-Fi': [{ mac: 'd8:bb:c1:00:00:02', cidr: '10.7.0.5/24', internal: false }],
};

const ROUTE = [
  '===========================================================================',
  'Interface List',
  ' 11...a8 a1 59 00 00 01 ......Realtek PCIe 2.5GbE Family Controller',
  '===========================================================================',
  'IPv4 Route Table',
  'Network Destination        Netmask          Gateway       Interface  Metric',
  '          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.20     25',
  '          0.0.0.0          0.0.0.0         10.7.0.1         10.7.0.5     50',
  '        127.0.0.0        255.0.0.0         On-link         127.0.0.1    331',
  'Persistent Routes:',
  '          0.0.0.0          0.0.0.0      192.168.1.1  Default ',
  '',
].join('\r\n');

const ARP = [
  '',
  'Interface: 192.168.1.20 --- 0xb',
  '  Internet Address      Physical Address      Type',
  '  192.168.1.1           AA-BB-CC-DD-EE-FF     dynamic   ',
  '  192.168.1.255         ff-ff-ff-ff-ff-ff     static    ',
  '',
  'Interface: 10.7.0.5 --- 0x12',
  '  Internet Address      Physical Address      Type',
  '  10.7.0.1              00-11-22-33-44-55     dynamic   ',
  '',
].join('\r\n');

const GERMAN_ARP = ARP.replaceAll('Interface:', 'Schnittstelle:')
  .replaceAll(
    'Internet Address      Physical Address      Type',
    'Internetadresse       Physische Adresse     Typ',
  )
  .replaceAll('dynamic', 'dynamisch');

const parse = (route: string, arp: string): Record<string, string> =>
  Object.fromEntries(parseWindowsGateway(route, arp, ADDRESSES));

describe('the gateway of a Windows host', () => {
  const both = { Ethernet: 'aa:bb:cc:dd:ee:ff', 'Wi-Fi': '00:11:22:33:44:55' };

  it('is found for each interface', () => {
    expect(parse(ROUTE, ARP)).toEqual(both);
  });

  it('is found in any language of the system', () => {
    const german = ROUTE.replace('On-link', 'Auf Verbindung').replace('Network Destination', 'Netzwerkziel');
    expect(parse(german, GERMAN_ARP)).toEqual(both);
  });

  it('is that of the better of two routes', () => {
    const more = ROUTE.replace('Persistent', '0.0.0.0 0.0.0.0 192.168.1.9 192.168.1.20 5\r\nPersistent');
    const arp = ARP.replace('  192.168.1.255', '  192.168.1.9  99-99-99-99-99-99 dynamic\r\n  192.168.1.255');
    expect(parse(more, arp)).toMatchObject({ Ethernet: '99:99:99:99:99:99' });
  });

  it.each([
    ['nothing was sent to it yet', ROUTE, ''],
    ['there is no default route', '', ARP],
    ['the tools said nothing useful', 'The operation failed', 'No ARP Entries Found.'],
  ])('is unknown when %s', (_, route, arp) => {
    expect(parse(route, arp)).toEqual({});
  });

  it('is unknown for an address that no interface has', () => {
    expect([...parseWindowsGateway(ROUTE, ARP, {})]).toEqual([]);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (route, arp) => void parse(ROUTE + route, ARP + arp)));
  });
});
