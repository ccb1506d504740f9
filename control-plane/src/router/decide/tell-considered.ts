import type { ReplicaCandidate } from '../candidate.js';
import type { Considered, FilterReason, OtherTargets } from '../route-types.js';

/** More targets than this are counted, not told. */
export const MOST_TOLD = 16;

/** What became of each of the candidates of one group. */
export interface Compared {
  readonly candidates: readonly ReplicaCandidate[];
  /** What ruled each of them out; `null`: all passed. */
  readonly reasons: readonly (FilterReason | null)[] | null;
  /** Seconds, of those that passed, in their order; more than those may be in it. */
  readonly costs: Float64Array;
  /** How many passed. */
  readonly passed: number;
  /** Among those that passed; -1: none. */
  readonly chosen: number;
}

/** A part of what was looked at, and how many more there were. */
export interface Told {
  readonly considered: readonly Considered[];
  /** Left out where there are none. */
  readonly others?: readonly OtherTargets[];
}

/** Lines for all candidates of a group, in order. */
export function tellEach({ candidates, reasons, costs, chosen }: Compared): Considered[] {
  let place = 0;
  return candidates.map(({ target }, index) => {
    const reason = reasons?.[index] ?? null;
    if (reason !== null) return { target, verdict: reason, costSeconds: null };
    const line = lineOf(target, costs[place], place === chosen);
    place += 1;
    return line;
  });
}

/** Lines for the cheapest of a group that is too large to tell each of, the chosen one among them; the rest in numbers. */
export function tellCheapest(compared: Compared): { considered: Considered[]; others: OtherTargets[] } {
  const { candidates, reasons, costs, passed, chosen } = compared;
  const limit = costLimit(costs, passed);
  const considered: Considered[] = [];
  const counts = new Map<OtherTargets['verdict'], number>();
  let free = MOST_TOLD - (chosen < 0 ? 0 : 1);
  let place = 0;
  let passedOver = 0;
  for (let index = 0; index < candidates.length; index++) {
    const reason = reasons?.[index] ?? null;
    if (reason !== null) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      continue;
    }
    const isChosen = place === chosen;
    const cost = costs[place] as number;
    place += 1;
    if (!isChosen && (free === 0 || !(cost <= limit))) {
      passedOver += 1;
      continue;
    }
    if (!isChosen) free -= 1;
    considered.push(lineOf((candidates[index] as ReplicaCandidate).target, cost, isChosen));
  }
  if (passedOver > 0) counts.set('passed_over', passedOver);
  return { considered, others: Array.from(counts, ([verdict, count]) => ({ verdict, count })) };
}

/** Of lines for every target those that tell most: the chosen one, then the cheapest, then the first; the rest in numbers. */
export function tellMost(considered: readonly Considered[]): Told {
  if (considered.length <= MOST_TOLD) return { considered };
  const ranked = considered.map((line, index) => ({ line, index }));
  ranked.sort((a, b) => rank(a.line) - rank(b.line) || a.index - b.index);
  const told = ranked.slice(0, MOST_TOLD).sort((a, b) => a.index - b.index);
  const counts = new Map<OtherTargets['verdict'], number>();
  for (const { line } of ranked.slice(MOST_TOLD)) {
    // The chosen one ranks first: it is told.
    const verdict = line.verdict === 'chosen' ? 'passed_over' : line.verdict;
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return {
    considered: told.map(({ line }) => line),
    others: Array.from(counts, ([verdict, count]) => ({ verdict, count })),
  };
}

function rank({ verdict, costSeconds }: Considered): number {
  return verdict === 'chosen' ? -1 : (costSeconds ?? Number.MAX_VALUE);
}

function lineOf(target: string, cost: number | undefined, isChosen: boolean): Considered {
  const costSeconds = cost !== undefined && Number.isFinite(cost) ? cost : null;
  return { target, verdict: isChosen ? 'chosen' : 'passed_over', costSeconds };
}

const cheapest = new Float64Array(MOST_TOLD);

/** The cost of the dearest that is told: few of a thousand costs are more than compared with it. */
function costLimit(costs: Float64Array, count: number): number {
  cheapest.fill(Number.POSITIVE_INFINITY);
  let limit = Number.POSITIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    const cost = costs[index] as number;
    if (!(cost < limit)) continue;
    let at = MOST_TOLD - 1;
    for (; at > 0 && cost < (cheapest[at - 1] as number); at--) cheapest[at] = cheapest[at - 1] as number;
    cheapest[at] = cost;
    limit = cheapest[MOST_TOLD - 1] as number;
  }
  return limit;
}
