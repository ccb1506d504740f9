import type { Bench, FigureDefinition, LeftOut, Limit, Measured } from './bench.js';
import { boundRatio } from './confidence.js';
import { greatest, mean, median, rounded } from './statistics.js';

/** What `--json` prints. */
export interface BenchReport {
  readonly bench: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly rounds: Readonly<Record<string, readonly number[]>>;
}

const summaries = { median, mean, greatest, lower95, upper95 } as const;

/** Of one round there are no bounds: it stands for itself. */
function lower95(values: readonly number[]): number | null {
  return values.length < 2 ? median(values) : boundRatio(values).low;
}

function upper95(values: readonly number[]): number | null {
  return values.length < 2 ? median(values) : boundRatio(values).high;
}

/** A figure without a round is absent: it was not measured. */
export function makeReport(bench: Bench, { rounds }: Measured): BenchReport {
  const figures: Record<string, number> = {};
  for (const { name, from } of bench.figures) {
    const figure = summaries[from](rounds[name] ?? []);
    if (figure !== null) figures[name] = rounded(figure);
  }
  const shown = Object.entries(rounds).map(([name, values]) => [name, values.map(rounded)] as const);
  return { bench: bench.name, figures, rounds: Object.fromEntries(shown) };
}

/** The figures beside their limits, what was left out and why, and the rounds. */
export function describeReport(bench: Bench, report: BenchReport, measured: Measured): string {
  const figures = bench.figures.map((figure) => describeFigure(figure, report, measured.leftOut));
  const info = Object.entries(report.rounds)
    .filter(([name]) => !bench.figures.some((figure) => figure.name === name))
    .map(([name, values]) => [name, String(rounded(median(values) ?? Number.NaN)), '', '', values.join(' ')]);
  return [
    ...alignColumns([['figure', 'value', 'limit', '95 %', 'rounds'], ...figures, ...info]),
    ...measured.leftOut.map(({ figure, reason }) => `left out: ${figure}: ${reason}`),
    ...measured.notes.map((note) => `note: ${note}`),
  ].join('\n');
}

function describeFigure(
  { name, limit }: FigureDefinition,
  { figures, rounds }: BenchReport,
  leftOut: readonly LeftOut[],
): string[] {
  const value = figures[name];
  if (value === undefined) {
    return [name, 'not measured', '', '', leftOut.some(({ figure }) => figure === name) ? 'see below' : ''];
  }
  return [
    name,
    String(value),
    limit === null ? 'shown' : judge(value, limit),
    describeInterval(rounds[name] ?? []),
    (rounds[name] ?? []).join(' '),
  ];
}

/** Of the geometric mean: for what can be 0 or less there is none. */
function describeInterval(values: readonly number[]): string {
  if (values.length < 2 || !values.every((value) => value > 0)) return '';
  const { low, high } = boundRatio(values);
  return `${low.toPrecision(3)}–${high.toPrecision(3)}`;
}

function judge(value: number, limit: Limit): string {
  if ('atLeast' in limit) return `≥ ${limit.atLeast} ${value >= limit.atLeast ? 'ok' : 'under'}`;
  return `≤ ${limit.atMost} ${value <= limit.atMost ? 'ok' : 'over'}`;
}

/** Rows as lines, each column as wide as its widest cell. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
