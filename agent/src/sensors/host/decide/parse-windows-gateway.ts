import type { GatewayMacs, InterfaceAddress } from './select-interfaces.js';

const IP = String.raw`(\d{1,3}(?:\.\d{1,3}){3})`;
/** "0.0.0.0  0.0.0.0  gateway  own address  metric". Only the numbers: the words around them are translated. */
const DEFAULT_ROUTE = new RegExp(String.raw`^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+${IP}\s+${IP}\s+(\d+)\s*$`);
/** "Interface: 192.168.1.20 --- 0xb", in whatever language. */
const ARP_HEADING = new RegExp(String.raw`${IP}\s+---\s+0x[0-9a-f]+`, 'i');
const ARP_ENTRY = new RegExp(String.raw`^\s*${IP}\s+((?:[0-9a-f]{2}-){5}[0-9a-f]{2})\b`, 'i');

/**
 * The MAC of the IPv4 default gateway per interface, from Windows' `route print -4` and `arp -a`, read by their
 * shape so that no system language matters.
 *
 * @param addresses tells which interface an own address belongs to
 */
export function parseWindowsGateway(
  route: string,
  arp: string,
  addresses: Readonly<Record<string, readonly InterfaceAddress[] | undefined>>,
): GatewayMacs {
  const macs = parseArp(arp);
  const best = new Map<string, { mac: string; metric: number }>();
  for (const line of route.split('\n')) {
    const [, gateway, own, metricText] = DEFAULT_ROUTE.exec(line) ?? [];
    if (gateway === undefined || own === undefined) continue;
    const name = interfaceOf(own, addresses);
    const mac = macs.get(`${own} ${gateway}`);
    const metric = Number(metricText);
    if (name === null || mac === undefined || metric >= (best.get(name)?.metric ?? Number.POSITIVE_INFINITY))
      continue;
    best.set(name, { mac, metric });
  }
  return new Map([...best].map(([name, { mac }]) => [name, mac]));
}

/** By "own address neighbour". */
function parseArp(arp: string): ReadonlyMap<string, string> {
  const macs = new Map<string, string>();
  let own = '';
  for (const line of arp.split('\n')) {
    const heading = ARP_HEADING.exec(line);
    if (heading) own = heading[1] as string;
    const [, address, mac] = ARP_ENTRY.exec(line) ?? [];
    if (address !== undefined && mac !== undefined)
      macs.set(`${own} ${address}`, mac.replaceAll('-', ':').toLowerCase());
  }
  return macs;
}

function interfaceOf(
  own: string,
  addresses: Readonly<Record<string, readonly InterfaceAddress[] | undefined>>,
): string | null {
  const found = Object.entries(addresses).find(([, list = []]) =>
    list.some(({ cidr }) => cidr?.split('/')[0] === own),
  );
  return found?.[0] ?? null;
}
