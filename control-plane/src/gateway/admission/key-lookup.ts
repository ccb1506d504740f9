import type { GatewayKey } from '../request-context.js';

/** What a bearer token is. `revoked`: it was a key of ours, and is refused even where no key is needed. */
export interface KeyLookup {
  find(bearer: string): GatewayKey | 'unknown' | 'revoked';
}

const ADMIN: GatewayKey = { name: 'admin', mayCloud: true };

/**
 * Knows the admin token alone, which opens `/v1` from anywhere. An operator who comes from outside the tailnet should
 * bring it over TLS; over plain HTTP it is as visible as any other header.
 */
export function createKeyLookup(isAdminToken: (presented: string) => boolean): KeyLookup {
  return { find: (bearer) => (isAdminToken(bearer) ? ADMIN : 'unknown') };
}
