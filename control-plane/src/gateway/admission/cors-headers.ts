import type { IncomingHttpHeaders } from 'node:http';

const EXPOSED =
  'x-request-id, x-fabric-host, x-fabric-replica, x-fabric-attempts, x-fabric-overhead-ms, x-fabric-queue-ms, x-fabric-reason, retry-after, ' +
  'x-fabric-queue-position, x-fabric-queue-eta-ms, x-fabric-class, ' +
  'x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, ' +
  'x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens';
const NONE: readonly string[] = [];
const PREFLIGHT_SECONDS = 600;
const HEADER_LIST = /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}$/;

/** Names and values, alternating, for every answer to a request of an allowed origin. */
export function corsHeaders(origin: string | null): readonly string[] {
  if (origin === null) return NONE;
  return ['access-control-allow-origin', origin, 'vary', 'Origin', 'access-control-expose-headers', EXPOSED];
}

/** What a browser wants to know before it lets a page of an allowed origin send its request. */
export function preflightHeaders(origin: string, asked: IncomingHttpHeaders): readonly string[] {
  const wanted = asked['access-control-request-headers'];
  const headers = [
    'access-control-allow-origin',
    origin,
    'vary',
    'Origin, Access-Control-Request-Headers',
    'access-control-allow-methods',
    'GET, POST, OPTIONS',
    'access-control-allow-headers',
    wanted !== undefined && HEADER_LIST.test(wanted)
      ? wanted
      : 'authorization, content-type, x-api-key, anthropic-version, anthropic-beta',
    'access-control-max-age',
    String(PREFLIGHT_SECONDS),
  ];
  // A public page that reaches into a private network asks for this too.
  if (asked['access-control-request-private-network'] === 'true') {
    headers.push('access-control-allow-private-network', 'true');
  }
  return headers;
}
