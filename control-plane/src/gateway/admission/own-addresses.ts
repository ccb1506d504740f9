import { networkInterfaces } from 'node:os';
import type { Clock } from '@ai-fabric/shared';
import { canonicalAddress } from './decide/parse-address.js';

const REFRESH_MS = 30_000;

/** The addresses of this machine's interfaces, in canonical form; read again when asked and older than 30 s. */
export function createOwnAddresses(clock: Clock): () => ReadonlySet<string> {
  let addresses: ReadonlySet<string> = new Set();
  let readAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - readAtMs < REFRESH_MS) return addresses;
    readAtMs = nowMs;
    addresses = readAddresses();
    return addresses;
  };
}

function readAddresses(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) {
      const canonical = canonicalAddress(address);
      if (canonical !== null) found.add(canonical);
    }
  }
  return found;
}
