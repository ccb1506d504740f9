import {
  AGENT_AUTHORITY,
  engineEndpoints,
  MAX_TUNNEL_STREAMS,
  type TunnelErrorCode,
} from '@ai-fabric/shared';

export interface TunnelRequestHead {
  readonly method: string;
  readonly authority: string;
  /** With its query. */
  readonly path: string;
}

export type TunnelVerdict =
  | {
      readonly kind: 'engine';
      readonly deployment: string;
      readonly method: 'GET' | 'POST';
      readonly path: string;
    }
  | { readonly kind: 'agent'; readonly segments: readonly string[]; readonly query: string }
  | { readonly kind: 'refuse'; readonly code: TunnelErrorCode; readonly detail: string };

const AGENT_ROOT = '/agent/v1/';
const AGENT_PATH = /^\/agent\/v1\/[A-Za-z0-9._~:@%/-]{1,1000}$/;
const QUERY = /^[A-Za-z0-9._~:@%&=+-]{0,1000}$/;

/**
 * What becomes of a request that came through the tunnel. A path is compared whole, never normalised: what is spelt
 * in another way is another path, and no path of an engine has a query.
 *
 * @param openStreams with this one
 */
export function judgeTunnelRequest(head: TunnelRequestHead, openStreams: number): TunnelVerdict {
  if (openStreams > MAX_TUNNEL_STREAMS) {
    return refuse('too_many_streams', `more than ${MAX_TUNNEL_STREAMS} requests at once`);
  }
  if (head.authority === AGENT_AUTHORITY) return judgeAgentPath(head.path);
  const method = engineEndpoints.get(head.path);
  if (method === undefined) return refuse('path_not_allowed', 'this path is not on the list');
  if (method !== head.method) return refuse('method_not_allowed', `this path takes ${method}`);
  return { kind: 'engine', deployment: head.authority, method, path: head.path };
}

function judgeAgentPath(target: string): TunnelVerdict {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  if (!AGENT_PATH.test(path) || !QUERY.test(query)) return refuse('path_not_allowed', 'this is no path here');
  const segments = path.slice(AGENT_ROOT.length).split('/').map(decode);
  if (segments.some((segment) => segment === null || segment === '' || segment === '.' || segment === '..')) {
    return refuse('path_not_allowed', 'this is no path here');
  }
  return { kind: 'agent', segments: segments as string[], query };
}

/** @returns `null` for what is no encoding of text */
function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function refuse(code: TunnelErrorCode, detail: string): TunnelVerdict {
  return { kind: 'refuse', code, detail };
}
