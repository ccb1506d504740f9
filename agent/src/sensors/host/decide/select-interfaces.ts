import type { NetworkInterface } from '@ai-fabric/shared';
import { hasVirtualMac, hasVirtualName } from './judge-virtual-interface.js';

/** One address of one interface, as Node's `os.networkInterfaces()` gives it. */
export interface InterfaceAddress {
  readonly mac: string;
  /** "192.0.2.7/24"; `null` when the mask is not a prefix. */
  readonly cidr: string | null;
  readonly internal: boolean;
}

/** What the system says of an interface beside its addresses; absent is unknown. */
export interface InterfaceFacts {
  readonly kind: NetworkInterface['kind'];
  /** Is there a device behind it? `null` where the system cannot say. */
  readonly hasDevice: boolean | null;
  readonly mac: string | null;
}

/** The default gateway's MAC by interface name. */
export type GatewayMacs = ReadonlyMap<string, string>;

const MAX_INTERFACES = 32;
const MAX_ADDRESSES = 16;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/**
 * The physical interfaces with everything that a wake needs. An interface without a device behind it still counts
 * when it carries a device's MAC: a bridge, bond or switch that took over the card's addresses. Where nothing has a
 * device (a container, a namespace) names and MACs alone decide.
 */
export function selectInterfaces(
  addresses: Readonly<Record<string, readonly InterfaceAddress[] | undefined>>,
  facts: ReadonlyMap<string, InterfaceFacts>,
  gateways: GatewayMacs,
): NetworkInterface[] {
  const deviceMacs = new Set(
    [...facts.values()].flatMap(({ hasDevice, mac }) => (hasDevice && mac ? [mac] : [])),
  );
  const deviceNames = new Map(
    [...facts].flatMap(([name, { hasDevice, mac }]) => (hasDevice && mac ? [[mac, name]] : [])),
  );
  const selected: NetworkInterface[] = [];
  for (const [name, list = []] of Object.entries(addresses)) {
    const outward = list.filter(({ internal }) => !internal);
    const mac = outward[0]?.mac.toLowerCase() ?? '';
    if (selected.length >= MAX_INTERFACES || !MAC.test(mac) || hasVirtualMac(mac)) continue;
    const carriesDevice = deviceMacs.has(mac);
    if (!carriesDevice && (hasVirtualName(name) || hasNoDevice(facts.get(name), deviceMacs))) continue;
    selected.push({
      name: name.slice(0, 80),
      mac,
      addresses: outward
        .flatMap(({ cidr }) => (cidr === null ? [] : [cidr.slice(0, 64)]))
        .slice(0, MAX_ADDRESSES),
      kind: facts.get(deviceNames.get(mac) ?? name)?.kind ?? 'unknown',
      gatewayMac: gateways.get(name) ?? null,
    });
  }
  return selected;
}

function hasNoDevice(facts: InterfaceFacts | undefined, deviceMacs: ReadonlySet<string>): boolean {
  return facts?.hasDevice === false && deviceMacs.size > 0;
}
