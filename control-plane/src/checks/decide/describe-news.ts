import type { Finding, FindingSeverity } from '../finding.js';
import type { FindingsDifference } from './compare-findings.js';

/** What a webhook is told. `text` is what chat services show. */
export interface News {
  readonly version: 1;
  readonly check: 'doctor' | 'smoke';
  readonly atMs: number;
  readonly worst: FindingSeverity;
  readonly text: string;
  readonly new: readonly Finding[];
  readonly cleared: readonly Finding[];
}

export function describeNews(
  check: News['check'],
  run: { readonly atMs: number; readonly worst: FindingSeverity },
  { appeared, cleared }: FindingsDifference,
): News {
  const lines = [
    `AI Fabric ${check}: ${appeared.length} new, ${cleared.length} cleared`,
    ...appeared.map((each) => `${each.severity}: ${sentence(each)}${each.fix ? ` → ${each.fix}` : ''}`),
    ...cleared.map((each) => `cleared: ${sentence(each)}`),
  ];
  return { version: 1, check, ...run, text: lines.join('\n'), new: appeared, cleared };
}

function sentence({ where, what }: Finding): string {
  return where.kind === 'control plane' ? `control plane: ${what}` : `${where.kind} ${where.name}: ${what}`;
}
