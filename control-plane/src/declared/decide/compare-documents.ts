import { formatPath } from './declared-finding.js';
import { canonicalJson } from './list-declared-objects.js';

/** One field of a declared thing. `null`: nothing stands there. */
export interface FieldChange {
  /** As `url`, `models.cheap.model`, `targets`; empty where the thing is one value, as an alias is. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

type Path = readonly string[];

/** Lists whose order means nothing. That of a role's targets does. */
const UNORDERED_LISTS: ReadonlySet<string> = new Set(['allowedOrigins', 'extraHosts']);

/** Where two documents, plain JSON, say different things, field by field; a list is one value. */
export function compareDocuments(before: unknown, after: unknown, path: Path = []): FieldChange[] {
  if (isMapping(before) || isMapping(after)) {
    const [old, next] = [asMapping(before), asMapping(after)];
    if (old && next) {
      const keys = new Set([...Object.keys(next), ...Object.keys(old)]);
      return [...keys].flatMap((key) => compareDocuments(own(old, key), own(next, key), [...path, key]));
    }
  }
  if (sameValue(before, after, path)) return [];
  return [{ path: path.length === 0 ? '' : formatPath(path), before: before ?? null, after: after ?? null }];
}

function sameValue(before: unknown, after: unknown, path: Path): boolean {
  return comparable(before ?? null, path) === comparable(after ?? null, path);
}

function comparable(value: unknown, path: Path): string {
  if (!Array.isArray(value) || !UNORDERED_LISTS.has(path.at(-1) ?? '')) return canonicalJson(value);
  return canonicalJson([...new Set(value.map(canonicalJson))].sort());
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Nothing is a mapping without fields; a plain value is none. */
function asMapping(value: unknown): Readonly<Record<string, unknown>> | null {
  if (value === undefined || value === null) return {};
  return isMapping(value) ? value : null;
}

function own(mapping: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(mapping, key) ? mapping[key] : null;
}
