import type { Clock } from '@ai-fabric/shared';
import { and, asc, eq } from 'drizzle-orm';
import type { Logger } from 'pino';
import { checkFabricValue } from '../declared/check-fabric-value.js';
import { emptyDeclaredState } from '../declared/decide/build-declared-state.js';
import { formatPath } from '../declared/decide/declared-finding.js';
import {
  canonicalJson,
  type DeclaredKind,
  type DeclaredObject,
  joinDeclaredObjects,
  listDeclaredObjects,
} from '../declared/decide/list-declared-objects.js';
import { serialiseDeclaredState } from '../declared/decide/serialise-declared-state.js';
import type { DeclaredState } from '../declared/declared-state.js';
import type { Queries, RegistryDatabase } from './registry-database.js';
import { RegistryError } from './registry-error.js';
import { META_KEYS, readMeta, writeMeta } from './registry-meta.js';
import type { DeclaredStore, ReplaceResult } from './registry-types.js';
import { declaredObjects } from './schema.js';

type Row = typeof declaredObjects.$inferSelect;

const MAX_TOLD = 5;

/**
 * The declared state, in memory for everybody who reads and in the file for the next start.
 *
 * @throws {RegistryError} registry_corrupt when what is stored is not valid
 */
export function createDeclaredStore(database: RegistryDatabase, clock: Clock, log: Logger): DeclaredStore {
  let current = database.read((queries) => load(queries, database.file));
  const listeners = new Set<(state: DeclaredState) => void>();

  const tell = (state: DeclaredState): void => {
    for (const listener of [...listeners]) {
      try {
        listener(state);
      } catch (error) {
        // It is committed: one listener's failure must not keep it from the others, nor from the caller.
        log.error({ error }, 'a listener failed on a change of the declared state');
      }
    }
  };

  return {
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    replace: (next, expectedRevision) => {
      const check = checkFabricValue(serialiseDeclaredState(next));
      if (!check.ok) return { ok: false, reason: 'invalid', findings: check.findings };
      const result = database.write((queries) =>
        store(queries, check.state, { expectedRevision, before: current, nowMs: clock.nowMs() }),
      );
      if (!result.ok || !result.changed) return result;
      current = result.state;
      tell(current);
      return result;
    },
  };
}

function load(queries: Queries, file: string): DeclaredState {
  const revision = readRevision(queries);
  const rows = queries
    .select()
    .from(declaredObjects)
    .orderBy(asc(declaredObjects.kind), asc(declaredObjects.position))
    .all();
  if (revision === 0 && rows.length === 0) return emptyDeclaredState();
  const check = checkFabricValue(joinDeclaredObjects(rows.map((row) => toObject(row, file))));
  if (check.ok) return { ...check.state, revision };
  const findings = check.findings.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  throw damaged(file, findings.slice(0, MAX_TOLD).join('; '));
}

function toObject(row: Row, file: string): DeclaredObject {
  try {
    return { kind: row.kind as DeclaredKind, name: row.name, document: JSON.parse(row.document) as unknown };
  } catch {
    throw damaged(file, `${row.kind} "${row.name}" is no JSON`);
  }
}

function damaged(file: string, detail: string): RegistryError {
  const fix = 'restore a backup, or move the file away and start with --config to declare it again';
  return new RegistryError(
    'registry_corrupt',
    file,
    `holds a declared state that is not valid: ${detail}`,
    fix,
  );
}

function readRevision(queries: Queries): number {
  return Number(readMeta(queries, META_KEYS.declaredRevision) ?? 0);
}

interface Change {
  readonly expectedRevision: number;
  readonly before: DeclaredState;
  readonly nowMs: number;
}

function store(queries: Queries, next: DeclaredState, change: Change): ReplaceResult {
  const currentRevision = readRevision(queries);
  if (currentRevision !== change.expectedRevision) {
    return { ok: false, reason: 'revision_conflict', currentRevision };
  }
  const revision = currentRevision + 1;
  const changed = writeObjects(queries, listDeclaredObjects(next), { revision, nowMs: change.nowMs });
  if (!changed) return { ok: true, changed: false, state: change.before };
  writeMeta(queries, META_KEYS.declaredRevision, String(revision));
  return { ok: true, changed: true, state: { ...next, revision } };
}

/** Touches the rows that differ alone, so that each keeps the revision that last changed it. */
function writeObjects(
  queries: Queries,
  objects: readonly DeclaredObject[],
  { revision, nowMs }: { readonly revision: number; readonly nowMs: number },
): boolean {
  const stored = new Map(
    queries
      .select()
      .from(declaredObjects)
      .all()
      .map((row) => [`${row.kind} ${row.name}`, row]),
  );
  const counts = new Map<DeclaredKind, number>();
  let changed = false;
  for (const { kind, name, document } of objects) {
    const position = counts.get(kind) ?? 0;
    counts.set(kind, position + 1);
    const before = stored.get(`${kind} ${name}`);
    stored.delete(`${kind} ${name}`);
    const same = before !== undefined && sameDocument(before.document, document);
    if (same && before.position === position) continue;
    changed = true;
    const row = same
      ? { ...before, position }
      : {
          kind,
          name,
          position,
          document: JSON.stringify(document),
          changedRevision: revision,
          changedAtMs: nowMs,
        };
    const target = [declaredObjects.kind, declaredObjects.name];
    queries.insert(declaredObjects).values(row).onConflictDoUpdate({ target, set: row }).run();
  }
  for (const row of stored.values()) removeObject(queries, row);
  return changed || stored.size > 0;
}

function removeObject(queries: Queries, { kind, name }: Row): void {
  queries
    .delete(declaredObjects)
    .where(and(eq(declaredObjects.kind, kind), eq(declaredObjects.name, name)))
    .run();
}

function sameDocument(stored: string, document: unknown): boolean {
  return canonicalJson(JSON.parse(stored)) === canonicalJson(document);
}
