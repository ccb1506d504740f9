import type { HostPolicy } from '@ai-fabric/shared';
import type { DeclaredState } from '../declared-state.js';
import { compareDocuments, type FieldChange } from './compare-documents.js';
import { declareHost } from './declare-host.js';
import { keepUnsaid } from './keep-unsaid.js';
import {
  type DeclaredKind,
  type DeclaredObject,
  identityOf,
  isSingleKind,
  listDeclaredObjects,
} from './list-declared-objects.js';
import { serialiseHost } from './serialise-declared-state.js';
import { type PlanWarning, warnOfHosts } from './warn-of-hosts.js';
import { warnOfPolicy } from './warn-of-policy.js';

export interface PlannedChange {
  readonly change: 'added' | 'changed' | 'removed';
  readonly kind: DeclaredKind;
  readonly name: string;
  readonly fields: readonly FieldChange[];
}

/** What applying a file would do, as data: shown, then done or not. */
export interface ApplyPlan {
  /** The revision that it was made on: applied to another one it is void. */
  readonly revision: number;
  readonly changes: readonly PlannedChange[];
  /** Declared, absent from the file, and left alone: only pruning removes them. */
  readonly notInFile: readonly { readonly kind: DeclaredKind; readonly name: string }[];
  readonly warnings: readonly PlanWarning[];
}

export interface FileToApply {
  readonly state: DeclaredState;
  /** The file as a plain value: a section that is not there says nothing of what it would hold. */
  readonly document: unknown;
}

export interface PlanOptions {
  /** Things that are not in the file are removed. */
  readonly prune: boolean;
  /** Names under which agents have joined. */
  readonly enrolledHosts: ReadonlySet<string>;
  /** What the owners of hosts allow, by the host's name, where its agent told it. */
  readonly policies: ReadonlyMap<string, HostPolicy>;
}

/**
 * What has to change so that the declared state says what a file says. Order and comments of the file do not
 * count: what is declared keeps its place, what is new comes behind it.
 *
 * @returns the plan, and the objects of the declared state that it ends in, not yet checked as a whole
 */
export function planApply(
  before: DeclaredState,
  file: FileToApply,
  options: PlanOptions,
): { readonly plan: ApplyPlan; readonly objects: readonly DeclaredObject[] } {
  const wanted = new Map(
    listDeclaredObjects(keepUnsaid(before, file))
      .filter((each) => options.prune || saysSomethingOf(file.document, each))
      .map((each) => [identityOf(each), each]),
  );
  const changes: PlannedChange[] = [];
  const notInFile: DeclaredObject[] = [];
  const objects: DeclaredObject[] = [];
  for (const object of listDeclaredObjects(before)) {
    const next = wanted.get(identityOf(object));
    wanted.delete(identityOf(object));
    const fields = next ? compareDocuments(object.document, next.document) : [];
    if (next && fields.length > 0) changes.push(describe('changed', object, fields));
    if (!next && options.prune) {
      changes.push(describe('removed', object, compareDocuments(object.document, null)));
      continue;
    }
    if (!next && !isUnset(object)) notInFile.push(object);
    objects.push(next && fields.length > 0 ? next : object);
  }
  for (const object of wanted.values()) {
    changes.push(describe('added', object, compareDocuments(unsaid(object), object.document)));
    objects.push(object);
  }
  const left = notInFile.map(({ kind, name }) => ({ kind, name }));
  const warnings = [
    ...warnOfHosts({ changes, notInFile: left }, options.enrolledHosts),
    ...warnOfPolicy(file.state, changes, options.policies),
  ];
  return { plan: { revision: before.revision, changes, notInFile: left, warnings }, objects };
}

/** Whether registry and file say the same. */
export function planIsEmpty(plan: Pick<ApplyPlan, 'changes' | 'notInFile'>): boolean {
  return plan.changes.length === 0 && plan.notInFile.length === 0;
}

/** Of a new host only what is not as usual is worth a line: it has two dozen fields. */
function unsaid({ kind, name }: DeclaredObject): unknown {
  return kind === 'host' ? serialiseHost(declareHost(name)) : null;
}

function describe(
  change: PlannedChange['change'],
  { kind, name }: DeclaredObject,
  fields: readonly FieldChange[],
): PlannedChange {
  return { change, kind, name, fields };
}

/** What exists once, as the gateway, is always in a state that was read: it is the file's only where its section is. */
function saysSomethingOf(document: unknown, { kind }: DeclaredObject): boolean {
  if (!isSingleKind(kind)) return true;
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, kind)) return false;
  return (document as Readonly<Record<string, unknown>>)[kind] != null;
}

/** The same where nothing of it was ever declared. */
function isUnset({ kind, document }: DeclaredObject): boolean {
  if (!isSingleKind(kind)) return false;
  const values = typeof document === 'object' && document !== null ? Object.values(document) : [document];
  return values.every((value) => value === null || (Array.isArray(value) && value.length === 0));
}
