import { TUNNEL_ERROR_HEADER } from '@ai-fabric/shared';

export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** All that an engine is told of a request's head; the rest is between the client and the gateway. */
const TO_ENGINE = ['accept', 'content-type', 'user-agent', 'x-request-id', 'traceparent', 'tracestate'];

const CONTENT_LENGTH = /^\d{1,15}$/;
/** What may stand in a header's value: no control characters, so that nothing can begin another line. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They belong to one connection, and HTTP/2 forbids them. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
/** Of an engine's answer; the first would pass for a word of the agent's own. */
const NOT_PASSED_ON = new Set([TUNNEL_ERROR_HEADER, 'set-cookie', 'alt-svc']);

/**
 * The head of a request to an engine. Whatever authorization came with it stays behind: the engine gets its own key.
 *
 * @param headers as HTTP/2 brought them, names in lower case
 * @param hasBody a length without a body is not passed on
 * @returns `null` for a head that no engine should see
 */
export function toEngineHeaders(
  headers: HeaderValues,
  key: string | null,
  hasBody: boolean,
): Record<string, string> | null {
  const mapped: Record<string, string> = {};
  for (const name of TO_ENGINE) {
    const value = headers[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || !VALUE.test(value)) return null;
    mapped[name] = value;
  }
  const length = headers['content-length'];
  if (length !== undefined) {
    if (typeof length !== 'string' || !CONTENT_LENGTH.test(length)) return null;
    if (hasBody) mapped['content-length'] = length;
  }
  if (key !== null) mapped['authorization'] = `Bearer ${key}`;
  return mapped;
}

/** The head of an engine's answer, as it goes into the tunnel. */
export function fromEngineHeaders(headers: HeaderValues): Record<string, string | string[]> {
  const named = namedByConnection(headers['connection']);
  const mapped: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    if (OF_CONNECTION.has(name) || NOT_PASSED_ON.has(name) || named.has(name)) continue;
    mapped[name] = typeof value === 'string' ? value : [...value];
  }
  return mapped;
}

function namedByConnection(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  if (connection === undefined) return NONE;
  const text = typeof connection === 'string' ? connection : connection.join(',');
  return new Set(text.split(',').map((name) => name.trim().toLowerCase()));
}

const NONE: ReadonlySet<string> = new Set();
