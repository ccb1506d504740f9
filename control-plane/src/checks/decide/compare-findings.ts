import type { Finding } from '../finding.js';

export interface FindingsDifference {
  readonly appeared: readonly Finding[];
  readonly cleared: readonly Finding[];
}

/**
 * What is to be told of a run, after what was told before: problems that are new, and those that are gone. A problem
 * is the same as long as its code and place are; that its words or its latency change is no news. Becoming graver, or
 * less grave, is.
 */
export function compareFindings(told: readonly Finding[], now: readonly Finding[]): FindingsDifference {
  const before = byIdentity(told.filter(isProblem));
  const after = byIdentity(now.filter(isProblem));
  return {
    appeared: [...after].flatMap(([key, each]) => (before.has(key) ? [] : [each])),
    cleared: [...before].flatMap(([key, each]) => (after.has(key) ? [] : [each])),
  };
}

export function isProblem({ severity }: Finding): boolean {
  return severity === 'warning' || severity === 'error';
}

function byIdentity(findings: readonly Finding[]): Map<string, Finding> {
  return new Map(
    findings.map((each) => [`${each.severity} ${each.code} ${each.where.kind} ${each.where.name}`, each]),
  );
}
