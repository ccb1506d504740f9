/** Which room answers a path. */
export type Surface =
  | 'gateway'
  | 'api'
  | 'health'
  | 'metrics'
  | 'link'
  | 'tunnel'
  | 'feed'
  | 'install'
  | 'none';

const GATEWAY_ROOTS = new Set([
  'chat',
  'completions',
  'embeddings',
  'models',
  'responses',
  'messages',
  'audio',
  'rerank',
  'score',
]);

/**
 * A base URL that ends with a slash makes two of them: clients of the gateway are taken at their word, and nobody else is.
 *
 * @param path the request target without its query
 */
export function classifyPath(path: string): Surface {
  if (path.startsWith('/v1/') || path === '/v1') return 'gateway';
  if (path === '/api/v1/telemetry') return 'feed';
  if (path.startsWith('/api/')) return 'api';
  if (path === '/healthz' || path === '/readyz') return 'health';
  if (path === '/metrics') return 'metrics';
  if (path === '/agent/v1/link') return 'link';
  if (path === '/agent/v1/tunnel') return 'tunnel';
  if (path.startsWith('/install/')) return 'install';
  if (path.startsWith('//'))
    return classifyPath(path.replace(/^\/+/, '/')) === 'gateway' ? 'gateway' : 'none';
  const root = path.slice(1).split('/', 1)[0] ?? '';
  return GATEWAY_ROOTS.has(root) ? 'gateway' : 'none';
}

export interface Listener {
  readonly encrypted: boolean;
}

/**
 * Port 8000 speaks in clear, so what carries the admin token, commands or programs is answered there on loopback only.
 * Agents speak TLS only, loopback or not.
 */
export function isServed(surface: Surface, listener: Listener, loopback: boolean): boolean {
  switch (surface) {
    case 'gateway':
    case 'health':
    case 'metrics':
      return true;
    case 'link':
    case 'tunnel':
      return listener.encrypted;
    case 'api':
    case 'feed':
    case 'install':
      return listener.encrypted || loopback;
    case 'none':
      return false;
    default:
      return surface satisfies never;
  }
}
