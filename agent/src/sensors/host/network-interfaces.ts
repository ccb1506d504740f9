import { networkInterfaces } from 'node:os';
import type { Clock, NetworkInterface } from '@ai-fabric/shared';
import { parseWindowsGateway } from './decide/parse-windows-gateway.js';
import {
  type GatewayMacs,
  type InterfaceAddress,
  type InterfaceFacts,
  selectInterfaces,
} from './decide/select-interfaces.js';
import { readLinuxGatewayMacs, readLinuxInterfaceFacts } from './linux-interfaces.js';
import { readInterfaceKinds } from './system-facts.js';
import { toolText } from './tool-text.js';

type Addresses = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

export interface NetworkInterfacesOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
}

/** An interface, and the card behind it: a bridge, bond or switch has another name than the card whose MAC it carries. */
export interface PhysicalInterface {
  readonly facts: NetworkInterface;
  readonly device: string;
}

/** Reads the physical interfaces; for the slow lane. What cannot be learnt is `null` or "unknown". */
export function networkInterfaceReader(
  options: NetworkInterfacesOptions,
): () => Promise<PhysicalInterface[]> {
  const kinds = rememberedKinds(options.clock);
  return async () => {
    const addresses: Addresses = networkInterfaces();
    if (options.platform === 'linux') {
      const [facts, gateways] = await Promise.all([readLinuxInterfaceFacts(), readLinuxGatewayMacs()]);
      return withDevices(selectInterfaces(addresses, facts, gateways), facts);
    }
    const [facts, gateways] = await Promise.all([kinds(addresses), readOtherGateways(options, addresses)]);
    return withDevices(selectInterfaces(addresses, facts, gateways), facts);
  };
}

function withDevices(
  interfaces: readonly NetworkInterface[],
  facts: ReadonlyMap<string, InterfaceFacts>,
): PhysicalInterface[] {
  const devices = new Map(
    [...facts].flatMap(([name, { hasDevice, mac }]) => (hasDevice && mac ? [[mac, name]] : [])),
  );
  return interfaces.map((each) => ({ facts: each, device: devices.get(each.mac) ?? each.name }));
}

/** The kinds cost a PowerShell, so they are asked for again only when the set of interfaces changes. */
function rememberedKinds(
  clock: Clock,
): (addresses: Addresses) => Promise<ReadonlyMap<string, InterfaceFacts>> {
  let names = '';
  let facts: ReadonlyMap<string, InterfaceFacts> = new Map();
  return async (addresses) => {
    const now = Object.keys(addresses).sort().join('\n');
    if (now !== names) {
      const kinds = await readInterfaceKinds(clock);
      facts = new Map([...kinds].map(([name, kind]) => [name, { kind, hasDevice: null, mac: null }]));
      names = now;
    }
    return facts;
  };
}

async function readOtherGateways(
  options: NetworkInterfacesOptions,
  addresses: Addresses,
): Promise<GatewayMacs> {
  if (options.platform !== 'win32') return new Map();
  const folder = `${options.windowsDirectory}\\System32`;
  const [route, arp] = await Promise.all([
    toolText(`${folder}\\route.exe`, ['print', '-4']),
    toolText(`${folder}\\arp.exe`, ['-a']),
  ]);
  return parseWindowsGateway(route, arp, addresses);
}
