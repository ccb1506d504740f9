import { countOf } from '@ai-fabric/shared';
import type { Finding, FindingSeverity } from '../checks/finding.js';
import type { Paint } from './colour.js';

const MARKS: Readonly<Record<FindingSeverity, string>> = {
  ok: '✓',
  info: 'i',
  warning: '!',
  error: '✗',
};

/** Findings as lines, in their order: mark, where, what, how long it took; beneath it the fix. */
export function findingLines(findings: readonly Finding[], paint: Paint): string[] {
  const places = findings.map(placeOf);
  const width = Math.max(0, ...places.map((place) => place.length));
  return findings.flatMap((each, index) => {
    const { severity, code, what, fix, latencyMs } = each;
    const place = (places[index] ?? '').padEnd(width);
    const took = latencyMs === null ? '' : ` (${milliseconds(latencyMs)})`;
    const named = severity === 'ok' ? '' : ` [${code}]`;
    const line = `${paint(severity, `${MARKS[severity]} ${place}`)}  ${what}${took}${named}`;
    return fix === null ? [line] : [line, `  ${' '.repeat(width)}  → ${fix}`];
  });
}

/** "1 error, 2 warnings, 9 fine". */
export function summary(findings: readonly Finding[]): string {
  const count = (severity: FindingSeverity) => findings.filter((each) => each.severity === severity).length;
  const parts = [
    countOf(count('error'), 'error'),
    countOf(count('warning'), 'warning'),
    ...(count('info') > 0 ? [countOf(count('info'), 'note')] : []),
    `${count('ok')} fine`,
  ];
  return parts.join(', ');
}

export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function placeOf({ where }: Finding): string {
  return where.kind === 'control plane' ? where.kind : `${where.kind} ${where.name}`;
}
