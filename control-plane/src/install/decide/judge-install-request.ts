import { type ByteRange, judgeRange } from './judge-range.js';

/** The path that hosts install from. */
export const INSTALL_PATH = '/install/';

export interface InstallRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly ifNoneMatch: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/** What the release has, by the names that may be asked for. */
export type ServedNames = ReadonlyMap<string, { readonly bytes: number; readonly sha256: string }>;

export type InstallAnswer =
  | { readonly kind: 'method_not_allowed' }
  | { readonly kind: 'list' }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'unchanged'; readonly sha256: string }
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly bytes: number;
      readonly sha256: string;
      readonly withBody: boolean;
      /** The part that is asked for; `null`: all of it. */
      readonly part: ByteRange | null;
    }
  | { readonly kind: 'no_such_part'; readonly bytes: number; readonly sha256: string };

/** Which file is asked for. A name is taken as it is written: what is no name of the release leads nowhere. */
export function judgeInstallRequest(request: InstallRequest, names: ServedNames): InstallAnswer {
  const { method, path, ifNoneMatch, range, ifRange } = request;
  if (method !== 'GET' && method !== 'HEAD') return { kind: 'method_not_allowed' };
  const name = path.slice(INSTALL_PATH.length);
  if (name === '') return { kind: 'list' };
  const file = names.get(name);
  if (file === undefined) return { kind: 'unknown', name };
  const { bytes, sha256 } = file;
  if (ifNoneMatch?.includes(`"${sha256}"`)) return { kind: 'unchanged', sha256 };
  const withBody = method === 'GET';
  const part = withBody ? judgeRange(range, ifRange, file) : null;
  if (part === 'unsatisfiable') return { kind: 'no_such_part', bytes, sha256 };
  return { kind: 'file', name, bytes, sha256, withBody, part };
}

const TYPES: readonly (readonly [end: string, type: string])[] = [
  ['.json', 'application/json'],
  ['.sh', 'text/x-shellscript; charset=utf-8'],
  ['.ps1', 'text/plain; charset=utf-8'],
  ['.sig', 'text/plain; charset=utf-8'],
];

/** Never with a `content-encoding`: a client must not unpack what it is to check first. */
export function contentTypeOf(name: string): string {
  return TYPES.find(([end]) => name.endsWith(end))?.[1] ?? 'application/octet-stream';
}
