import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLinuxGateway } from './parse-linux-gateway.js';

const ROUTE_HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const ARP_HEAD = 'IP address       HW type     Flags       HW address            Mask     Device\n';
const DEFAULT_ETH = 'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n';
const GATEWAY = '192.168.1.1      0x1         0x2         AA:BB:CC:DD:EE:FF     *        eth0\n';

const parse = (route: string, arp: string): Record<string, string> =>
  Object.fromEntries(parseLinuxGateway(ROUTE_HEAD + route, ARP_HEAD + arp));

describe('the gateway of a Linux host', () => {
  it('is found by its address and interface', () => {
    const local = 'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n';
    expect(parse(DEFAULT_ETH + local, GATEWAY)).toEqual({ eth0: 'aa:bb:cc:dd:ee:ff' });
  });

  it('is one per interface, the first of each', () => {
    const wlan = 'wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n';
    const second = 'eth0\t00000000\t0901A8C0\t0003\t0\t0\t900\t00000000\t0\t0\t0\n';
    const arp = `${GATEWAY}192.168.2.1 0x1 0x2 00:11:22:33:44:55 * wlan0\n192.168.1.9 0x1 0x2 00:00:00:00:00:09 * eth0\n`;
    expect(parse(DEFAULT_ETH + wlan + second, arp)).toEqual({
      eth0: 'aa:bb:cc:dd:ee:ff',
      wlan0: '00:11:22:33:44:55',
    });
  });

  it.each([
    ['nothing was sent to it yet', DEFAULT_ETH, ''],
    ['its entry is incomplete', DEFAULT_ETH, '192.168.1.1 0x1 0x0 00:00:00:00:00:00 * eth0\n'],
    ['the address is on another interface', DEFAULT_ETH, GATEWAY.replace('eth0', 'wlan0')],
    ['the default route has no gateway', DEFAULT_ETH.replace('0003', '0001'), GATEWAY],
    ['the route is down', DEFAULT_ETH.replace('0003', '0002'), GATEWAY],
    [
      'it is no default route',
      DEFAULT_ETH.replace('\t00000000\t0\t0\t0\n', '\t00FFFFFF\t0\t0\t0\n'),
      GATEWAY,
    ],
    ['there is none', '', GATEWAY],
    ['the files are garbage', '\u0000 x y\n', 'z\n'],
  ])('is unknown when %s', (_, route, arp) => {
    expect(parse(route, arp)).toEqual({});
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (route, arp) => void parse(route, arp)));
  });
});
