import type { GatewayErrorCode } from './decide/error-table.js';

/** Names and values, alternating. */
type Headers = readonly string[];

export const BODY_REFUSAL_HEADERS: { readonly [Code in GatewayErrorCode]?: Headers } = {
  // A client that dawdles is not worth its connection.
  body_timeout: ['connection', 'close'],
  overloaded: ['retry-after', '1'],
};

export const KEY_HEADERS: Headers = ['www-authenticate', 'Bearer'];

export const SHUTDOWN_HEADERS: Headers = ['retry-after', '5', 'connection', 'close'];
