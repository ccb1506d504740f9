import type { IncomingHttpHeaders } from 'node:http';
import type { DeclaredRole, ResolvedModel } from '../declared/declared-state.js';
import type { RequestHints } from '../router/route-types.js';
import { hashHistory, hashNames } from './decide/hash-history.js';
import type { PeekedRequest } from './decide/peek-request.js';

/** Any text that names a conversation; the body's `prompt_cache_key` and `user` come behind it. */
const SESSION_HEADER = 'x-session-id';

export type AffinityHints = Pick<RequestHints, 'session' | 'prefix'>;

const NONE: AffinityHints = { session: null, prefix: null };

/**
 * What tells where the request's past is: its session's name and what its prompt begins with. Nothing is hashed where
 * there is but one replica to go to.
 */
export function readAffinity(
  bytes: Uint8Array,
  peeked: PeekedRequest,
  headers: IncomingHttpHeaders,
  resolved: ResolvedModel,
  keyId: string,
): AffinityHints {
  if (resolved.kind !== 'role' || !hasChoice(resolved.role)) return NONE;
  const header = headers[SESSION_HEADER];
  const name = typeof header === 'string' && header !== '' ? header : peeked.session;
  // Of another key or role it is another session.
  const session = name === null ? null : hashNames(resolved.role.name, keyId, name);
  const { task } = resolved.role;
  const prefix = task === 'chat' ? hashHistory(bytes, peeked.promptSpans) : null;
  return { session, prefix: prefix === null || prefix.length === 0 ? null : prefix };
}

/** Whether replicas compete for it. What a provider keeps of a prompt is its own affair. */
function hasChoice({ targets }: DeclaredRole): boolean {
  let replicas = 0;
  for (const { kind } of targets) if (kind === 'deployment') replicas += 1;
  return replicas > 1;
}
