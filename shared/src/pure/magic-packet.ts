/**
 * Bytes of a magic packet: six 0xFF, then the MAC sixteen times. What it is sent over matters little; the payload does.
 *
 * @param mac six hexadecimal pairs with colons
 * @returns 102 bytes
 * @throws RangeError for what is no MAC
 */
export function magicPacket(mac: string): Uint8Array {
  const pairs = mac.split(':');
  if (pairs.length !== 6 || pairs.some((pair) => !/^[0-9a-fA-F]{2}$/.test(pair))) {
    throw new RangeError(`not a MAC: "${mac}"; expected six pairs such as 52:54:00:12:34:56`);
  }
  const address = pairs.map((pair) => Number.parseInt(pair, 16));
  const packet = new Uint8Array(102).fill(0xff);
  for (let copy = 0; copy < 16; copy++) packet.set(address, 6 + copy * 6);
  return packet;
}

/**
 * The broadcast address of an IPv4 address with its prefix length, as in `192.168.1.20/24` → `192.168.1.255`.
 *
 * @returns `null`: not IPv4, or a network without a broadcast address (/31, /32)
 */
export function directedBroadcast(addressWithPrefix: string): string | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(addressWithPrefix);
  if (match === null) return null;
  const octets = match.slice(1, 5).map(Number);
  const prefix = Number(match[5]);
  if (prefix > 30 || octets.some((octet) => octet > 255)) return null;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - prefix);
  const last = Math.floor(address / size) * size + size - 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join('.');
}
