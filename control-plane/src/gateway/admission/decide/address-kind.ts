import { parseAddress } from './parse-address.js';

/** Of which network an address is, as far as trust goes. */
export type AddressKind = 'loopback' | 'tailnet' | 'other';

/** @param address as a socket gives it; IPv4 inside IPv6 counts as IPv4 */
export function addressKind(address: string | undefined): AddressKind {
  const parsed = address === undefined ? null : parseAddress(address);
  if (parsed === null) return 'other';
  if (parsed.family === 4) {
    const [first = -1, second = -1] = parsed.bytes;
    if (first === 127) return 'loopback';
    // 100.64.0.0/10
    return first === 100 && second >= 64 && second < 128 ? 'tailnet' : 'other';
  }
  const { groups } = parsed;
  if (groups.every((group, index) => group === (index === 7 ? 1 : 0))) return 'loopback';
  // fd7a:115c:a1e0::/48
  const isTailnet = groups[0] === 0xfd7a && groups[1] === 0x115c && groups[2] === 0xa1e0;
  return isTailnet ? 'tailnet' : 'other';
}

export function isLoopback(address: string | undefined): boolean {
  return addressKind(address) === 'loopback';
}

/**
 * Whether a connection's two addresses alone make it trusted: both of loopback, or both of the tailnet. A peer from
 * such a range that arrives at another kind of address came through something that forwards (a container's port, a
 * carrier's NAT), and who stands behind it is not known.
 */
export function isTrustedPair(remoteAddress: string | undefined, localAddress: string | undefined): boolean {
  const kind = addressKind(remoteAddress);
  return kind !== 'other' && kind === addressKind(localAddress);
}
