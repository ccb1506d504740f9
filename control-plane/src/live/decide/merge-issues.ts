import type { Issue, IssueCode } from '@ai-fabric/shared';

/** What only the control plane can know; an agent that claims it is not heard. */
const OWN_CODES: ReadonlySet<IssueCode> = new Set(['clock_skew', 'identity_in_use']);

type Dated = Issue & { readonly sinceMs: number };

const MAX_ISSUES = 64;

/** Our own issues of a host first, then its agent's; each code and subject once. */
export function mergeIssues(own: readonly Issue[], agents: readonly Issue[]): readonly Issue[] {
  const merged = new Map<string, Issue>();
  for (const issue of own) merged.set(`${issue.code} ${issue.subject}`, issue);
  for (const issue of agents) {
    const key = `${issue.code} ${issue.subject}`;
    if (OWN_CODES.has(issue.code) || merged.has(key)) continue;
    merged.set(key, issue);
  }
  return [...merged.values()].slice(0, MAX_ISSUES);
}

/** An issue that was there before, whatever its words, is known since then; one that says so itself, since it says. */
export function datedIssues(
  issues: readonly (Issue & { readonly sinceMs?: number | undefined })[],
  before: readonly Dated[],
  nowMs: number,
): readonly Dated[] {
  const known = new Map(before.map((issue) => [`${issue.code} ${issue.subject}`, issue.sinceMs]));
  return issues.map((issue) => ({
    ...issue,
    sinceMs: known.get(`${issue.code} ${issue.subject}`) ?? issue.sinceMs ?? nowMs,
  }));
}

export function sameIssues(one: readonly Issue[], other: readonly Issue[]): boolean {
  return one.length === other.length && one.every((issue, index) => sameIssue(issue, other[index]));
}

function sameIssue(one: Issue, other: Issue | undefined): boolean {
  return (
    other !== undefined &&
    one.code === other.code &&
    one.subject === other.subject &&
    one.severity === other.severity &&
    one.detail === other.detail &&
    one.fix === other.fix
  );
}
