import type { DeclaredKind } from './list-declared-objects.js';
import type { ApplyPlan } from './plan-apply.js';

/** What is allowed, and may not be what was meant. */
export interface PlanWarning {
  readonly code: 'host_renamed' | 'host_enrolled' | 'policy_would_refuse';
  readonly kind: DeclaredKind;
  readonly name: string;
  readonly message: string;
}

/**
 * A host is known by its name: one that a file renames is another to us, while its agent is still joined under
 * the old name and would get nothing to do.
 */
export function warnOfHosts(
  { changes, notInFile }: Pick<ApplyPlan, 'changes' | 'notInFile'>,
  enrolledHosts: ReadonlySet<string>,
): PlanWarning[] {
  const removed = namesOf(changes.filter(({ change }) => change === 'removed'));
  const added = namesOf(changes.filter(({ change }) => change === 'added'));
  const strangers = added.filter((name) => !enrolledHosts.has(name));
  const warnings: PlanWarning[] = [];
  for (const name of [...removed, ...namesOf(notInFile)]) {
    if (!enrolledHosts.has(name)) continue;
    const onlyOne = removed.length === 1 && strangers.length === 1 ? strangers[0] : undefined;
    const successor =
      whereDeploymentsGo(changes, name, strangers) ?? (removed.includes(name) ? onlyOne : undefined);
    if (successor !== undefined) warnings.push(renamed(name, successor));
    else if (removed.includes(name)) warnings.push(left(name));
  }
  return warnings;
}

function namesOf(things: readonly { readonly kind: DeclaredKind; readonly name: string }[]): string[] {
  return things.filter(({ kind }) => kind === 'host').map(({ name }) => name);
}

function whereDeploymentsGo(
  changes: ApplyPlan['changes'],
  host: string,
  strangers: readonly string[],
): string | undefined {
  const moves = changes
    .filter(({ kind }) => kind === 'deployment')
    .flatMap(({ fields }) => fields)
    .filter(({ path, before }) => path === 'host' && before === host);
  return strangers.find((name) => moves.some(({ after }) => after === name));
}

function renamed(name: string, successor: string): PlanWarning {
  const message =
    `host "${name}" looks renamed to "${successor}", but an agent has joined as "${name}" and none as "${successor}": ` +
    `to the fabric these are two hosts; keep the old name, or join that agent again with a token of ` +
    `"ai-fabric token create --host ${successor}"`;
  return { code: 'host_renamed', kind: 'host', name, message };
}

function left(name: string): PlanWarning {
  const message = `host "${name}" is removed from what is declared, but an agent has joined as "${name}": it stays joined, and gets nothing to do`;
  return { code: 'host_enrolled', kind: 'host', name, message };
}
