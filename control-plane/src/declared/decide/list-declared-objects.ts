import type { DeclaredState } from '../declared-state.js';
import { serialiseDeclaredState } from './serialise-declared-state.js';

export type DeclaredKind = 'host' | 'deployment' | 'provider' | 'role' | 'alias' | 'gateway' | 'checks';

/** One named thing of a declared state, as it stands in a fabric file. */
export interface DeclaredObject {
  readonly kind: DeclaredKind;
  readonly name: string;
  /** Plain JSON. */
  readonly document: unknown;
}

export interface DeclaredDifference {
  readonly kind: DeclaredKind;
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
}

/** Sections of the file, in its order; the gateway is one object without a name of its own. */
const SECTIONS = [
  ['host', 'hosts'],
  ['deployment', 'deployments'],
  ['provider', 'providers'],
  ['role', 'roles'],
  ['alias', 'aliases'],
] as const;

/** A declared state taken apart, in its own order: what is stored, compared and told about, each by itself. */
export function listDeclaredObjects(state: DeclaredState): DeclaredObject[] {
  const file = serialiseDeclaredState(state);
  const objects = SECTIONS.flatMap(([kind, section]) =>
    Object.entries(file[section]).map(([name, document]): DeclaredObject => ({ kind, name, document })),
  );
  objects.push({ kind: 'gateway', name: 'gateway', document: file.gateway });
  // Only where something is declared: a registry from before there were checks holds the same without them.
  if (Object.values(file.checks).some((each) => each !== null)) {
    objects.push({ kind: 'checks', name: 'checks', document: file.checks });
  }
  return objects;
}

/** Put together again as the plain value of a fabric file, unchecked. */
export function joinDeclaredObjects(objects: readonly DeclaredObject[]): Record<string, unknown> {
  const of = (kind: DeclaredKind) => objects.filter((each) => each.kind === kind);
  const sections = SECTIONS.map(([kind, section]) => [
    section,
    Object.fromEntries(of(kind).map(({ name, document }) => [name, document])),
  ]);
  const [gateway] = of('gateway');
  const [checks] = of('checks');
  return {
    version: 1,
    ...Object.fromEntries(sections),
    ...(gateway ? { gateway: gateway.document } : {}),
    ...(checks ? { checks: checks.document } : {}),
  };
}

/** What would change if `after` took the place of `before`, in the order of the file. Revision and order do not count. */
export function compareDeclared(before: DeclaredState, after: DeclaredState): DeclaredDifference[] {
  const old = byIdentity(before);
  const next = byIdentity(after);
  const differences: DeclaredDifference[] = [];
  for (const [identity, { kind, name, text }] of next) {
    const was = old.get(identity);
    if (!was) differences.push({ kind, name, change: 'added' });
    else if (was.text !== text) differences.push({ kind, name, change: 'changed' });
  }
  for (const [identity, { kind, name }] of old) {
    if (!next.has(identity)) differences.push({ kind, name, change: 'removed' });
  }
  return differences;
}

function byIdentity(state: DeclaredState) {
  return new Map(
    listDeclaredObjects(state).map(({ kind, name, document }) => [
      `${kind} ${name}`,
      { kind, name, text: canonicalJson(document) },
    ]),
  );
}

/** JSON with sorted keys: two documents that say the same are the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
