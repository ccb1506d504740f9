import { type GatewayError, gatewayError } from '../../decide/error-table.js';
import type { GatewayKey } from '../../request-context.js';
import type { PageOrigin } from './check-origin.js';

/** What is known of a request before a byte of its body is read. */
export interface AdmissionFacts {
  readonly method: string;
  /** As asked for; `''` where there was none. */
  readonly host: string;
  readonly isOwnHost: boolean;
  readonly pageOrigin: PageOrigin;
  /** The `Origin` header. */
  readonly origin: string | undefined;
  readonly isPreflight: boolean;
  /** Both ends of the connection are of the same trusted kind, and nothing says that it was forwarded. */
  readonly isTrusted: boolean;
  readonly isForwarded: boolean;
  /** What the bearer is, if there is one. */
  readonly bearer: 'none' | 'unknown' | 'revoked' | 'expired' | GatewayKey;
  /** The key of whoever is trusted by address, and by no key. */
  readonly anonymous: GatewayKey;
}

export type AdmissionVerdict =
  | { readonly kind: 'admitted'; readonly key: GatewayKey; readonly corsOrigin: string | null }
  | { readonly kind: 'preflight'; readonly corsOrigin: string }
  | { readonly kind: 'refused'; readonly error: GatewayError; readonly corsOrigin: string | null };

/** Who may use `/v1`. A foreign `Host` or page is refused whatever it holds: its token would be somebody's else. */
export function admitRequest(facts: AdmissionFacts): AdmissionVerdict {
  if (!facts.isOwnHost) return refused(foreignHost(facts.host), null);
  if (facts.pageOrigin === 'foreign') return refused(foreignOrigin(facts.origin), null);
  const corsOrigin = facts.pageOrigin === 'allowed' ? (facts.origin ?? null) : null;
  if (facts.isPreflight && corsOrigin !== null) return { kind: 'preflight', corsOrigin };

  const { bearer } = facts;
  if (typeof bearer === 'object') return { kind: 'admitted', key: bearer, corsOrigin };
  if (bearer === 'revoked')
    return refused(gatewayError('invalid_api_key', 'This API key was revoked.'), corsOrigin);
  if (bearer === 'expired')
    return refused(gatewayError('invalid_api_key', 'This API key has expired.'), corsOrigin);
  if (facts.isTrusted) return { kind: 'admitted', key: facts.anonymous, corsOrigin };
  return refused(keyNeeded(facts), corsOrigin);
}

function refused(error: GatewayError, corsOrigin: string | null): AdmissionVerdict {
  return { kind: 'refused', error, corsOrigin };
}

function foreignHost(host: string): GatewayError {
  const asked = host === '' ? 'The request names no host.' : `"${clip(host)}" is no name of this machine.`;
  const fix = 'Use one of its own names or addresses, or add the name to gateway.extraHosts in fabric.yaml.';
  return gatewayError('host_not_allowed', `${asked} ${fix}`);
}

function foreignOrigin(origin: string | undefined): GatewayError {
  const page = origin === undefined ? 'Pages of other sites' : `Pages of "${clip(origin)}"`;
  const fix = 'An operator allows an origin with gateway.allowedOrigins in fabric.yaml.';
  return gatewayError('origin_not_allowed', `${page} may not use this gateway. ${fix}`);
}

function keyNeeded(facts: AdmissionFacts): GatewayError {
  const what = facts.bearer === 'none' ? 'An API key is needed here' : 'The API key is not known here';
  const why = facts.isForwarded
    ? 'the request came through a proxy, so its sender is not trusted by address'
    : 'only loopback and the tailnet are trusted without one';
  return gatewayError('invalid_api_key', `${what}: ${why}.`);
}

function clip(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
