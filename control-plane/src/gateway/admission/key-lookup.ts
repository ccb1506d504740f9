import type { GatewayKey } from '../request-context.js';
import type { PresentedBearer } from './presented-bearer.js';

/** What a bearer token is. `revoked`, `expired`: it was a key of ours, and is refused even where no key is needed. */
export interface KeyLookup {
  /** @param isTrusted whether the caller is trusted by its address */
  find(bearer: PresentedBearer, isTrusted: boolean): GatewayKey | 'unknown' | 'revoked' | 'expired';
  /** The key of whoever is trusted by address and brings none. */
  readonly anonymous: GatewayKey;
}
