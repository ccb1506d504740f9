import type { z } from 'zod';
import type { applyPlanSchema } from '../api/declared-schemas.js';

export type Plan = z.infer<typeof applyPlanSchema>;
type Change = Plan['changes'][number];

const MARKS = { added: '+', changed: '~', removed: '-' } as const;
const MAX_VALUE = 160;

/** A plan as people read it: what is added, changed field by field, removed; what stays; what to think about. */
export function formatPlan(plan: Plan): string {
  const lines = plan.changes.flatMap(formatChange);
  if (plan.notInFile.length > 0) {
    lines.push('not in the file, and left alone (--prune removes them):');
    lines.push(...plan.notInFile.map((each) => `    ${label(each)}`));
  }
  lines.push(...plan.warnings.map(({ message }) => `warning: ${message}`));
  return lines.join('\n');
}

/** As "2 added, 1 changed, 1 removed". */
export function countChanges({ changes }: Pick<Plan, 'changes'>): string {
  const counts = Object.keys(MARKS).map((change) => {
    const count = changes.filter((each) => each.change === change).length;
    return count === 0 ? '' : `${count} ${change}`;
  });
  return counts.filter((text) => text !== '').join(', ') || 'nothing to change';
}

/** What there is one of in a file has no name but its kind. */
function label({ kind, name }: Pick<Change, 'kind' | 'name'>): string {
  return kind === name ? kind : `${kind} ${name}`;
}

function formatChange({ change, kind, name, fields }: Change): string[] {
  const head = `${MARKS[change]} ${label({ kind, name })}`;
  return [head, ...fields.map((field) => `    ${formatField(field, change)}`)];
}

function formatField({ path, before, after }: Change['fields'][number], change: Change['change']): string {
  const label = path === '' ? '' : `${path}: `;
  if (change === 'added') return `${label}${formatValue(after)}`;
  if (change === 'removed') return `${label}${formatValue(before)}`;
  return `${label}${formatValue(before)} → ${formatValue(after)}`;
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '(none)';
  if (typeof value === 'string') return value;
  if (Array.isArray(value))
    return value.length === 0 ? '[]' : shorten(`[${value.map(formatEntry).join(', ')}]`);
  return shorten(JSON.stringify(value));
}

/** A target by its name, with what it is asked for; anything else as it is. */
function formatEntry(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return formatValue(entry);
  if ('deployment' in entry) return `${String(entry.deployment)}${formatCondition(entry)}`;
  if ('provider' in entry && 'model' in entry) {
    return `${String(entry.provider)}/${String(entry.model)}${formatCondition(entry)}`;
  }
  return JSON.stringify(entry);
}

function formatCondition(target: object): string {
  if (!('when' in target) || typeof target.when !== 'object' || target.when === null) return '';
  const asked = Object.entries(target.when).filter(([, value]) => value !== null && value !== false);
  return ` when ${JSON.stringify(Object.fromEntries(asked))}`;
}

function shorten(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
