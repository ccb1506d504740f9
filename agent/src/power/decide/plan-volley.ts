import { directedBroadcast, type MagicPacketOrder, type NetworkInterface } from '@ai-fabric/shared';

/** One packet: from the socket that is bound to `from`. */
export interface PlannedPacket {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly mac: string;
}

const EVERYBODY = '255.255.255.255';
/** Of all interfaces, addresses, MACs and ports together. */
const MAX_PACKETS = 256;

/**
 * The packets that an order asks for: from each address of each interface on that LAN to its directed broadcast, to
 * everybody on the wire, and to the sleeping host's last addresses, on each port. MACs come first: a cut costs a
 * port or an address, never a host.
 *
 * @returns empty where this host has no interface on that LAN
 */
export function planVolley(
  order: MagicPacketOrder,
  interfaces: readonly NetworkInterface[],
): PlannedPacket[] {
  const sources = interfaces
    .filter(({ gatewayMac }) => order.gatewayMac === null || gatewayMac === order.gatewayMac)
    .flatMap(({ addresses }) => addresses.flatMap(sourceOf));
  const unicasts = order.addresses.filter((address) => /^\d{1,3}(\.\d{1,3}){3}$/.test(address));
  const packets = order.ports.flatMap((port) =>
    sources.flatMap(({ from, broadcast }) =>
      [broadcast, EVERYBODY, ...unicasts].flatMap((to) =>
        order.macs.map((mac): PlannedPacket => ({ from, to, port, mac })),
      ),
    ),
  );
  return packets.slice(0, MAX_PACKETS);
}

function sourceOf(addressWithPrefix: string): { from: string; broadcast: string }[] {
  const broadcast = directedBroadcast(addressWithPrefix);
  return broadcast === null ? [] : [{ from: addressWithPrefix.split('/')[0] as string, broadcast }];
}
