import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLinuxGateway } from './decide/parse-linux-gateway.js';
import type { GatewayMacs, InterfaceFacts } from './decide/select-interfaces.js';

const NET_CLASS = '/sys/class/net';
const PROC_NET = '/proc/net';

/** What sysfs says of every interface: a few calls of `stat` each. Empty where there is no sysfs. */
export async function readLinuxInterfaceFacts(
  folder = NET_CLASS,
): Promise<ReadonlyMap<string, InterfaceFacts>> {
  const names = await readdir(folder).catch(() => []);
  const facts = await Promise.all(
    names.map(async (name) => [name, await factsOf(join(folder, name))] as const),
  );
  return new Map(facts);
}

/** The default gateways' MACs, as far as the neighbour table knows them. */
export async function readLinuxGatewayMacs(folder = PROC_NET): Promise<GatewayMacs> {
  const [route, arp] = await Promise.all([readText(join(folder, 'route')), readText(join(folder, 'arp'))]);
  return parseLinuxGateway(route, arp);
}

async function factsOf(folder: string): Promise<InterfaceFacts> {
  const [hasDevice, wireless, phy, mac] = await Promise.all([
    exists(join(folder, 'device')),
    exists(join(folder, 'wireless')),
    exists(join(folder, 'phy80211')),
    readText(join(folder, 'address')),
  ]);
  const kind = wireless || phy ? 'wireless' : hasDevice ? 'wired' : 'unknown';
  return { kind, hasDevice, mac: mac.trim().toLowerCase() || null };
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
