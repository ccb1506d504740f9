import type { Issue } from '@ai-fabric/shared';

/** What one report takes. */
const MAX_ISSUES = 64;
const ORDER: Readonly<Record<Issue['severity'], number>> = { error: 0, warning: 1, info: 2 };

/** One list of all sources' issues: one per code and subject (the first source's words), the worst first. */
export function mergeIssues(sources: readonly (readonly Issue[])[]): readonly Issue[] {
  const merged = new Map<string, Issue>();
  for (const issue of sources.flat()) {
    const key = `${issue.code}\n${issue.subject}`;
    if (!merged.has(key)) merged.set(key, issue);
  }
  return [...merged.values()]
    .sort(
      (a, b) =>
        ORDER[a.severity] - ORDER[b.severity] ||
        a.code.localeCompare(b.code) ||
        a.subject.localeCompare(b.subject),
    )
    .slice(0, MAX_ISSUES);
}
