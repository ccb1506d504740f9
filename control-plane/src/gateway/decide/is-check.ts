import type { GatewayKey } from '../request-context.js';

/** Says of a request that it is smoke's: that it is refused is no failure of a client. */
export const CHECK_HEADER = 'x-fabric-check';

/** A check tells how things are: it waits for nothing and wakes nobody, but for one of the second kind. */
export type CheckKind = 'plain' | 'wakes';

/** Believed of the operator alone: else a client could hide its failures. */
export function isCheck(headers: Readonly<Record<string, unknown>>, key: GatewayKey): boolean {
  return checkOf(headers, key) !== null;
}

/** @returns `null`: it is none */
export function checkOf(headers: Readonly<Record<string, unknown>>, key: GatewayKey): CheckKind | null {
  if (key.keyId !== 'admin') return null;
  const told = headers[CHECK_HEADER];
  if (told === 'true') return 'plain';
  return told === 'wake' ? 'wakes' : null;
}
