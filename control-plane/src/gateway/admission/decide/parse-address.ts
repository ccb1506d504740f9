/** An IP address as numbers: 4 bytes, or 8 groups of 16 bits. IPv4 inside IPv6 (`::ffff:…`) is IPv4. */
export type ParsedAddress =
  | { readonly family: 4; readonly bytes: readonly number[] }
  | { readonly family: 6; readonly groups: readonly number[] };

/** @param text an address without brackets; a zone (`%eth0`) is ignored. @returns `null` where it is none */
export function parseAddress(text: string): ParsedAddress | null {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  if (!address.includes(':')) {
    const bytes = parseIpv4(address);
    return bytes === null ? null : { family: 4, bytes };
  }
  const groups = parseIpv6(address);
  if (groups === null) return null;
  const mapped = mappedIpv4(groups);
  return mapped === null ? { family: 6, groups } : { family: 4, bytes: mapped };
}

/** One spelling for each address, for comparing. @returns `null` where the text is no address */
export function canonicalAddress(text: string): string | null {
  const parsed = parseAddress(text);
  if (parsed === null) return null;
  return parsed.family === 4
    ? parsed.bytes.join('.')
    : parsed.groups.map((group) => group.toString(16)).join(':');
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function parseIpv4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => OCTET.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

const GROUP = /^[0-9a-f]{1,4}$/i;

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : null;
  return missing < 1 ? null : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The last group may be a dotted IPv4 address. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const bytes = index === parts.length - 1 ? parseIpv4(part) : null;
    if (bytes === null) return null;
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    groups.push(a * 256 + b, c * 256 + d);
  }
  return groups.length <= 8 ? groups : null;
}

function mappedIpv4(groups: readonly number[]): number[] | null {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return null;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}
