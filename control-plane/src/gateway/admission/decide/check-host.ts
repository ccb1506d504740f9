import { canonicalAddress } from './parse-address.js';

/** What of this machine a client may have typed. */
export interface OwnNames {
  /** As the machine calls itself; may hold a domain. */
  readonly hostName: string;
  /** Further names that the operator declared, with or without a port. */
  readonly extraHosts: readonly string[];
}

/**
 * Whether the `Host` that a client asked for is ours. A web page that had its own name rebound to our address still
 * asks for its own name, and is told apart by it.
 *
 * @param host the header; its port does not matter
 * @param ownAddresses canonical addresses of this machine, the connection's local one among them
 */
export function isOwnHost(host: string, names: OwnNames, ownAddresses: ReadonlySet<string>): boolean {
  const name = hostName(host);
  if (name === null) return false;
  const address = canonicalAddress(name);
  if (address !== null) return ownAddresses.has(address) || isExtra(name, names.extraHosts);
  return isOwnName(name, names.hostName.toLowerCase()) || isExtra(name, names.extraHosts);
}

function isOwnName(name: string, own: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (own === '') return false;
  const short = own.split('.', 1)[0] ?? own;
  if (name === own || name === short || name === `${short}.local`) return true;
  // MagicDNS: host.tailnet.ts.net
  const labels = name.split('.');
  return labels.length === 4 && labels[0] === short && name.endsWith('.ts.net');
}

function isExtra(name: string, extraHosts: readonly string[]): boolean {
  return extraHosts.some((extra) => hostName(extra) === name);
}

const NAME = /^[a-z0-9._-]+$/;

/** Lower case, without port, brackets and a final dot; `null` where it is no host. */
function hostName(host: string): string | null {
  const text = host.trim().toLowerCase();
  const bracketed = /^\[([0-9a-f:.]+)(?:%[^\]]*)?\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return bracketed[1] ?? null;
  if (canonicalAddress(text) !== null) return text;
  const name = text.replace(/:\d{1,5}$/, '').replace(/\.$/, '');
  return NAME.test(name) ? name : null;
}
