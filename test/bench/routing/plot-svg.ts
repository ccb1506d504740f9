import type { PolicySummary, ShownScenario } from './summarise.js';

const LEFT = 170;
const WIDTH = 640;
const TOP = 70;
const ROW = 26;
const COLOURS = ['#d62728', '#7f7f7f', '#1f77b4', '#17becf', '#2ca02c', '#bcbd22', '#9467bd', '#8c564b'];
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200];

/**
 * A row for each scenario, a mark for each policy where its p95 TTFT lies beside the oracle's, the 95 % interval as a
 * line. Scenarios that the oracle did not run in are left out.
 */
export function plotSvg(scenarios: readonly ShownScenario[]): string {
  const rows = scenarios.filter(({ summaries }) => summaries.some(({ overOracle }) => overOracle !== null));
  const names = [...new Set(rows.flatMap(({ summaries }) => summaries.map(({ policy }) => policy)))];
  const values = rows.flatMap(({ summaries }) => summaries.map(({ overOracle }) => overOracle?.ratio ?? 1));
  const most = Math.max(2, ...values) * 1.1;
  const least = Math.min(0.8, ...values) * 0.9;
  const x = (ratio: number): number => {
    const bounded = Math.min(most, Math.max(least, ratio));
    return LEFT + (Math.log(bounded / least) / Math.log(most / least)) * WIDTH;
  };
  const height = TOP + rows.length * ROW + 30;
  const colour = (policy: string): string => COLOURS[names.indexOf(policy) % COLOURS.length] ?? '#000';
  const legend = names.map((policy, index) => {
    const [column, line] = [index % 4, Math.floor(index / 4)];
    const [left, top] = [LEFT + column * 160, 34 + line * 16];
    return `<circle cx="${left}" cy="${top - 4}" r="4" fill="${colour(policy)}"/>${text(left + 8, top, policy)}`;
  });
  const grid = TICKS.filter((tick) => tick >= least && tick <= most).map((tick) => {
    const left = round(x(tick));
    const line = `<line x1="${left}" x2="${left}" y1="${TOP - 8}" y2="${height - 26}" stroke="#ddd"/>`;
    return line + text(left - 6, height - 10, `${tick}×`);
  });
  const marks = rows.flatMap(({ name, summaries }, index) => {
    const y = TOP + index * ROW + ROW / 2;
    return [
      text(8, y + 4, name),
      ...summaries.map((summary) => markOf(summary, y, x, colour(summary.policy))),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 40}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(8, 16, 'p95 time to first token beside the oracle (1× = as the oracle; left is better)'),
    ...[...legend, ...grid, ...marks],
    '</svg>',
    '',
  ].join('\n');
}

function markOf(
  { policy, overOracle }: PolicySummary,
  y: number,
  x: (ratio: number) => number,
  colour: string,
): string {
  if (overOracle === null) return '';
  const { ratio, low, high } = overOracle;
  const line = `<line x1="${round(x(low))}" x2="${round(x(high))}" y1="${y}" y2="${y}" stroke="${colour}"/>`;
  const radius = policy === 'ours' ? 5 : 3.5;
  return `${line}<circle cx="${round(x(ratio))}" cy="${y}" r="${radius}" fill="${colour}" fill-opacity="0.8"/>`;
}

function text(x: number, y: number, content: string): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(x)}" y="${round(y)}">${safe}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
