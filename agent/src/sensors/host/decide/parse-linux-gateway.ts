import type { GatewayMacs } from './select-interfaces.js';

const NO_MAC = '00:00:00:00:00:00';
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
/** RTF_UP and RTF_GATEWAY of the kernel's route flags. */
const UP_AND_GATEWAY = 0x0003;
const COMPLETE = 0x2;

/**
 * The MAC of the IPv4 default gateway per interface, from Linux's /proc/net/route and /proc/net/arp. A gateway that
 * the neighbour table does not hold (nothing was sent yet) is not in the answer.
 */
export function parseLinuxGateway(route: string, arp: string): GatewayMacs {
  const macs = parseArp(arp);
  const gateways = new Map<string, string>();
  for (const line of route.split('\n').slice(1)) {
    const [name, destination, gateway, flags, , , , mask] = line.trim().split(/\s+/);
    if (!name || destination !== '00000000' || mask !== '00000000' || gateways.has(name)) continue;
    if ((Number.parseInt(flags ?? '', 16) & UP_AND_GATEWAY) !== UP_AND_GATEWAY) continue;
    const mac = macs.get(`${hexToAddress(gateway ?? '')} ${name}`);
    if (mac !== undefined) gateways.set(name, mac);
  }
  return gateways;
}

/** By "address device". */
function parseArp(arp: string): ReadonlyMap<string, string> {
  const macs = new Map<string, string>();
  for (const line of arp.split('\n').slice(1)) {
    const [address, , flags, mac = '', , device] = line.trim().split(/\s+/);
    const lower = mac.toLowerCase();
    if (!device || (Number(flags) & COMPLETE) === 0 || lower === NO_MAC || !MAC.test(lower)) continue;
    macs.set(`${address} ${device}`, lower);
  }
  return macs;
}

/** The kernel prints the address as a little-endian number: "0100A8C0" is 192.168.0.1. */
function hexToAddress(hex: string): string {
  if (!/^[0-9A-Fa-f]{8}$/.test(hex)) return '';
  const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes.join('.');
}
