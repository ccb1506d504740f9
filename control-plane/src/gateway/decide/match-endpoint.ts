import type { Task } from '@ai-fabric/shared';

/** An endpoint that an engine serves. */
export interface EngineEndpoint {
  readonly kind: 'engine';
  /** Behind `/v1`, as the engine has it too. */
  readonly path: '/chat/completions' | '/completions' | '/embeddings';
  readonly task: Task;
  /** What OpenAI calls the field that holds the prompt. */
  readonly promptParam: 'messages' | 'prompt' | 'input';
}

export type EndpointMatch =
  | EngineEndpoint
  | { readonly kind: 'models' }
  | { readonly kind: 'model'; readonly id: string }
  | { readonly kind: 'methodNotAllowed'; readonly allow: 'POST' | 'GET, HEAD' }
  | { readonly kind: 'unknown' };

const ENGINE_ENDPOINTS: ReadonlyMap<string, EngineEndpoint> = new Map<string, EngineEndpoint>([
  ['/chat/completions', { kind: 'engine', path: '/chat/completions', task: 'chat', promptParam: 'messages' }],
  ['/completions', { kind: 'engine', path: '/completions', task: 'chat', promptParam: 'prompt' }],
  ['/embeddings', { kind: 'engine', path: '/embeddings', task: 'embeddings', promptParam: 'input' }],
]);

const MODELS: EndpointMatch = { kind: 'models' };
const UNKNOWN: EndpointMatch = { kind: 'unknown' };
const POST_ONLY: EndpointMatch = { kind: 'methodNotAllowed', allow: 'POST' };
const GET_ONLY: EndpointMatch = { kind: 'methodNotAllowed', allow: 'GET, HEAD' };

/** For the message of an unknown path. */
export const KNOWN_ENDPOINTS =
  'POST /v1/chat/completions, POST /v1/completions, POST /v1/embeddings, GET /v1/models, GET /v1/models/{id}';

/** @param url the request's target: path and query */
export function matchEndpoint(method: string, url: string): EndpointMatch {
  const path = pathOf(url);
  return matchPath(method, path.startsWith('/v1/') ? path.slice(3) : path);
}

function matchPath(method: string, path: string): EndpointMatch {
  const engine = ENGINE_ENDPOINTS.get(path);
  if (engine !== undefined) return method === 'POST' ? engine : POST_ONLY;
  const isRead = method === 'GET' || method === 'HEAD';
  if (path === '/models') return isRead ? MODELS : GET_ONLY;
  if (!path.startsWith('/models/')) return UNKNOWN;
  const id = decode(path.slice('/models/'.length));
  if (id === null) return UNKNOWN;
  return isRead ? { kind: 'model', id } : GET_ONLY;
}

/** Without query and trailing slash; a base URL that ends with a slash gives double ones. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  let path = query < 0 ? url : url.slice(0, query);
  if (path.includes('//')) path = path.replace(/\/{2,}/g, '/');
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
