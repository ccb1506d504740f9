import type { DeclaredState } from '../../declared/declared-state.js';
import type { Finding, FindingSeverity } from '../finding.js';

const ORDER: readonly FindingSeverity[] = ['error', 'warning', 'info', 'ok'];

/** The gravest first; what is equally grave stays in its order. */
export function orderFindings(findings: readonly Finding[]): Finding[] {
  return ORDER.flatMap((severity) => findings.filter((each) => each.severity === severity));
}

export function worstOf(findings: readonly Finding[]): FindingSeverity {
  return ORDER.find((severity) => findings.some((each) => each.severity === severity)) ?? 'ok';
}

/**
 * What concerns one host, with its deployments, or one deployment, with its host.
 *
 * @returns `null` when neither is called so
 */
export function scopeOf(
  name: string,
  declared: DeclaredState,
  joined: ReadonlySet<string>,
): ReadonlySet<string> | null {
  if (declared.hosts.has(name) || joined.has(name)) {
    const deployments = [...declared.deployments.values()].filter(({ host }) => host === name);
    return new Set([`host ${name}`, ...deployments.map((each) => `deployment ${each.name}`)]);
  }
  const deployment = declared.deployments.get(name);
  return deployment ? new Set([`deployment ${name}`, `host ${deployment.host}`]) : null;
}

export function isInScope({ where }: Finding, scope: ReadonlySet<string>): boolean {
  return scope.has(`${where.kind} ${where.name}`);
}
