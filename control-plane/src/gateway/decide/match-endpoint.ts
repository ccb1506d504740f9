import type { Task } from '@ai-fabric/shared';
import type { ProviderEndpoint } from '../../declared/declared-state.js';
import {
  type BodyShape,
  CHAT_BODY,
  COUNT_BODY,
  MESSAGES_BODY,
  RESPONSES_BODY,
  SCORES_BODY,
} from './body-shapes.js';
import { AUDIO } from './dialects/audio.js';
import { CHAT } from './dialects/chat.js';
import type { Dialect } from './dialects/dialect.js';
import { MESSAGES } from './dialects/messages.js';
import { RESPONSES } from './dialects/responses.js';
import { SCORES } from './dialects/scores.js';
import { TOKEN_COUNTS } from './dialects/token-counts.js';
import { ANTHROPIC_ERRORS, type ErrorForm, OPENAI_ERRORS } from './render-error.js';

/** An endpoint that an engine serves. */
export interface EngineEndpoint {
  readonly kind: 'engine';
  /** Behind `/v1`, as the engine has it too. */
  readonly path: string;
  /** What a provider must speak. */
  readonly name: ProviderEndpoint;
  /** What those that serve it are for; the first is the usual. */
  readonly tasks: readonly [Task, ...Task[]];
  /** What its API calls the field that holds the prompt. */
  readonly promptParam: string;
  readonly dialect: Dialect;
  readonly body: BodyShape | 'multipart';
  /** The answer is written token by token. */
  readonly hasAnswerText: boolean;
  /** Every engine of the task serves it: that one does not know the path is a fault of its configuration. */
  readonly isUniversal: boolean;
  /** Of Anthropic's API, which has headers of its own and takes its key in one. */
  readonly isAnthropics: boolean;
}

export type EndpointMatch =
  | EngineEndpoint
  | { readonly kind: 'models' }
  | { readonly kind: 'model'; readonly id: string }
  /** A response that was answered before, by its id. */
  | { readonly kind: 'storedResponse' }
  | { readonly kind: 'methodNotAllowed'; readonly allow: 'POST' | 'GET, HEAD' }
  | { readonly kind: 'unknown' };

type Family = Omit<EngineEndpoint, 'path' | 'name' | 'promptParam'>;

const CHATS: Family = {
  kind: 'engine',
  tasks: ['chat'],
  dialect: CHAT,
  body: CHAT_BODY,
  hasAnswerText: true,
  isUniversal: true,
  isAnthropics: false,
};
const HEARD: Family = {
  kind: 'engine',
  tasks: ['transcription'],
  dialect: AUDIO,
  body: 'multipart',
  hasAnswerText: true,
  isUniversal: false,
  isAnthropics: false,
};
const SCORED: Family = {
  kind: 'engine',
  // vLLM scores with cross-encoders and with embedding models alike.
  tasks: ['rerank', 'embeddings'],
  dialect: SCORES,
  body: SCORES_BODY,
  hasAnswerText: false,
  isUniversal: false,
  isAnthropics: false,
};
const EMBEDDED: Family = { ...CHATS, tasks: ['embeddings'], hasAnswerText: false };
const RESPONDED: Family = { ...CHATS, dialect: RESPONSES, body: RESPONSES_BODY, isUniversal: false };
const MESSAGED: Family = {
  ...CHATS,
  dialect: MESSAGES,
  body: MESSAGES_BODY,
  isUniversal: false,
  isAnthropics: true,
};
const COUNTED: Family = { ...MESSAGED, dialect: TOKEN_COUNTS, body: COUNT_BODY, hasAnswerText: false };

const ENDPOINTS: readonly EngineEndpoint[] = [
  { ...CHATS, path: '/chat/completions', name: 'chat', promptParam: 'messages' },
  { ...CHATS, path: '/completions', name: 'completions', promptParam: 'prompt' },
  { ...EMBEDDED, path: '/embeddings', name: 'embeddings', promptParam: 'input' },
  { ...RESPONDED, path: '/responses', name: 'responses', promptParam: 'input' },
  { ...MESSAGED, path: '/messages', name: 'messages', promptParam: 'messages' },
  { ...COUNTED, path: '/messages/count_tokens', name: 'count_tokens', promptParam: 'messages' },
  { ...HEARD, path: '/audio/transcriptions', name: 'transcriptions', promptParam: 'file' },
  { ...HEARD, path: '/audio/translations', name: 'translations', promptParam: 'file' },
  { ...SCORED, path: '/rerank', name: 'rerank', promptParam: 'documents' },
  { ...SCORED, path: '/score', name: 'score', promptParam: 'text_2' },
];

const ENGINE_ENDPOINTS: ReadonlyMap<string, EngineEndpoint> = new Map(
  ENDPOINTS.map((endpoint) => [endpoint.path, endpoint]),
);

const MODELS: EndpointMatch = { kind: 'models' };
const STORED_RESPONSE: EndpointMatch = { kind: 'storedResponse' };
const UNKNOWN: EndpointMatch = { kind: 'unknown' };
const POST_ONLY: EndpointMatch = { kind: 'methodNotAllowed', allow: 'POST' };
const GET_ONLY: EndpointMatch = { kind: 'methodNotAllowed', allow: 'GET, HEAD' };

/** For the message of an unknown path. */
export const KNOWN_ENDPOINTS = [
  ...ENDPOINTS.map(({ path }) => `POST /v1${path}`),
  'GET /v1/models',
  'GET /v1/models/{id}',
].join(', ');

/** @param url the request's target: path and query */
export function matchEndpoint(method: string, url: string): EndpointMatch {
  return matchPath(method, withoutVersion(url));
}

/** How errors of this address are told, whatever becomes of the request. */
export function errorFormOf(url: string): ErrorForm {
  const path = withoutVersion(url);
  return path === '/messages' || path.startsWith('/messages/') ? ANTHROPIC_ERRORS : OPENAI_ERRORS;
}

function matchPath(method: string, path: string): EndpointMatch {
  const engine = ENGINE_ENDPOINTS.get(path);
  if (engine !== undefined) return method === 'POST' ? engine : POST_ONLY;
  const isRead = method === 'GET' || method === 'HEAD';
  if (path === '/models') return isRead ? MODELS : GET_ONLY;
  if (path.startsWith('/responses/')) return STORED_RESPONSE;
  if (!path.startsWith('/models/')) return UNKNOWN;
  const id = decode(path.slice('/models/'.length));
  if (id === null) return UNKNOWN;
  return isRead ? { kind: 'model', id } : GET_ONLY;
}

function withoutVersion(url: string): string {
  const path = pathOf(url);
  return path.startsWith('/v1/') ? path.slice(3) : path;
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
