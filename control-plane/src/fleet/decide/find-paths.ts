import { directedBroadcast, type NetworkInterface } from '@ai-fabric/shared';

/** An IPv4 address of this machine, with its prefix length. */
export interface OwnAddress {
  readonly interface: string;
  readonly address: string;
}

/** Somebody who could send for us. */
export interface AwakeNeighbour {
  readonly host: string;
  readonly interfaces: readonly NetworkInterface[];
}

/** How magic packets get onto a sleeping host's LAN. */
export interface PacketPaths {
  /** Addresses of ours on it. */
  readonly own: readonly OwnAddress[];
  /** Awake hosts on it, wired ones first; `gatewayMac` tells each which of its LANs is meant. */
  readonly relays: readonly { readonly host: string; readonly gatewayMac: string | null }[];
}

/** @param sleeping the interfaces by which it may be woken */
export function findPaths(
  sleeping: readonly NetworkInterface[],
  own: readonly OwnAddress[],
  awake: readonly AwakeNeighbour[],
): PacketPaths {
  const networks = new Set(sleeping.flatMap(({ addresses }) => addresses.map(networkOf)).filter(isKnown));
  const relays = awake.flatMap(({ host, interfaces }) => {
    const shared = interfaces.find((one) => sleeping.some((other) => isSameLan(one, other)));
    if (shared === undefined) return [];
    return [{ host, gatewayMac: shared.gatewayMac, isWired: shared.kind === 'wired' }];
  });
  return {
    own: own.filter(({ address }) => networks.has(networkOf(address) ?? '')),
    relays: relays
      .sort((one, other) => Number(other.isWired) - Number(one.isWired))
      .map(({ host, gatewayMac }) => ({ host, gatewayMac })),
  };
}

/** The gateway names a LAN; where it is not known of both, they share a network. */
export function isSameLan(one: NetworkInterface, other: NetworkInterface): boolean {
  if (one.gatewayMac !== null && other.gatewayMac !== null) return one.gatewayMac === other.gatewayMac;
  const networks = new Set(one.addresses.map(networkOf).filter(isKnown));
  return other.addresses.some((address) => networks.has(networkOf(address) ?? ''));
}

/** Under what an interface's LANs are found: two on one LAN share a key; that they do alone does not say it. */
export function lanKeys({ gatewayMac, addresses }: NetworkInterface): readonly string[] {
  const networks = addresses.map(networkOf).filter(isKnown);
  return gatewayMac === null ? networks : [gatewayMac, ...networks];
}

/** IPv4 alone: a magic packet is broadcast. `192.168.1.20/24` and `192.168.1.7/24` give the same. */
function networkOf(addressWithPrefix: string): string | null {
  const broadcast = directedBroadcast(addressWithPrefix);
  return broadcast === null ? null : `${broadcast}/${addressWithPrefix.split('/')[1]}`;
}

function isKnown(network: string | null): network is string {
  return network !== null;
}
