import type { Issue } from '@ai-fabric/shared';

/** What one report takes. */
const MAX_ISSUES = 64;
const ORDER: Readonly<Record<Issue['severity'], number>> = { error: 0, warning: 1, info: 2 };

/**
 * One list of all sources' issues: one per code and subject (the first source's words), the worst first. A lost card
 * that one source names by its UUID is not told again by another that knows less of it.
 */
export function mergeIssues(sources: readonly (readonly Issue[])[]): readonly Issue[] {
  const merged = new Map<string, Issue>();
  for (const issue of sources.flatMap((source) => withoutVaguer(source, sources))) {
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

/** The inventory fails because of a lost card and knows its address at most; the stream may know its UUID. */
function withoutVaguer(source: readonly Issue[], sources: readonly (readonly Issue[])[]): readonly Issue[] {
  const exactness = sources
    .filter((other) => other !== source)
    .flat()
    .reduce((best, issue) => Math.max(best, lostCardExactness(issue) ?? 0), 0);
  return source.filter((issue) => (lostCardExactness(issue) ?? exactness) >= exactness);
}

/** `null`: not about a lost card. */
function lostCardExactness({ code, subject }: Issue): number | null {
  if (code !== 'gpu_lost') return null;
  if (subject === 'host') return 0;
  return subject.startsWith('GPU-') ? 2 : 1;
}
