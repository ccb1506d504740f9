import type { DeclaredState } from '../declared-state.js';
import { serialiseDeclaredState } from './serialise-declared-state.js';

export type DeclaredKind =
  | 'host'
  | 'deployment'
  | 'provider'
  | 'role'
  | 'alias'
  | 'gateway'
  | 'backup'
  | 'checks'
  | 'tariff';

/** One named thing of a declared state, as it stands in a fabric file. */
export interface DeclaredObject {
  readonly kind: DeclaredKind;
  readonly name: string;
  /** Plain JSON. */
  readonly document: unknown;
}

/** Sections of the file, in its order; the gateway and the checks are one object each, without a name of their own. */
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
  // Only where it is declared: a registry from before there was a schedule holds the same without it.
  if (file.backup !== null) objects.push({ kind: 'backup', name: 'backup', document: file.backup });
  objects.push({ kind: 'checks', name: 'checks', document: file.checks });
  if (file.tariff !== null) objects.push({ kind: 'tariff', name: 'tariff', document: file.tariff });
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
  const [backup] = of('backup');
  const [checks] = of('checks');
  const [tariff] = of('tariff');
  return {
    version: 1,
    ...Object.fromEntries(sections),
    ...(gateway ? { gateway: gateway.document } : {}),
    ...(backup ? { backup: backup.document } : {}),
    ...(checks ? { checks: checks.document } : {}),
    ...(tariff ? { tariff: tariff.document } : {}),
  };
}

/** Names are unique within their kind. */
export function identityOf({ kind, name }: Pick<DeclaredObject, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** Whether there is one of it, always: a section of the file that is one object. */
export function isSingleKind(kind: DeclaredKind): boolean {
  return kind === 'gateway' || kind === 'checks';
}

/** JSON with sorted keys: two documents that say the same are the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
