import type { GatewayKey } from '../request-context.js';

/** Says of a request that it is smoke's: that it is refused is no failure of a client. */
export const CHECK_HEADER = 'x-fabric-check';

/** Believed of the operator alone: else a client could hide its failures. */
export function isCheck(headers: Readonly<Record<string, unknown>>, key: GatewayKey): boolean {
  return key.keyId === 'admin' && headers[CHECK_HEADER] === 'true';
}
