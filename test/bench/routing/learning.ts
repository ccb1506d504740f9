import { at } from './at.js';
import type { NamedPolicy } from './lab-policy.js';
import type { Scenario } from './scenario/scenario.js';
import { type RunResult, simulate } from './simulate.js';

const WINDOW = 100;
/** As good as one that knows: this much longer at most. */
const TOLERANCE = 1.1;

/** Mean TTFT in each window of a hundred requests, of a policy that begins with nothing beside one that does not. */
export interface Learning {
  readonly ratios: readonly number[];
  /** Requests after which it stays as good; as many as there are: it never does. */
  readonly within: number;
}

/** Of both the very first requests count, and the same ones come to both. */
export async function measureLearning(
  scenario: Scenario,
  policy: NamedPolicy,
  seeds: readonly number[],
  turn: () => Promise<void>,
): Promise<Learning> {
  const windows = Math.floor(scenario.requests / WINDOW);
  const logs = Array.from({ length: windows }, () => 0);
  for (const seed of seeds) {
    const [fresh, taught] = [false, true].map((learnt) =>
      simulate({ ...scenario, learnt, ignoreFirst: 0 }, policy, seed),
    );
    if (fresh === undefined || taught === undefined) continue;
    for (let window = 0; window < windows; window += 1) {
      const ratio = windowMean(fresh, window) / windowMean(taught, window);
      logs[window] = at(logs, window) + Math.log(ratio);
    }
    await turn();
  }
  const ratios = logs.map((sum) => Math.exp(sum / seeds.length));
  const lastBehind = ratios.findLastIndex((ratio) => ratio > TOLERANCE);
  return { ratios, within: (lastBehind + 1) * WINDOW };
}

function windowMean({ ttftMs }: RunResult, window: number): number {
  const times = ttftMs.slice(window * WINDOW, (window + 1) * WINDOW).filter((ms) => !Number.isNaN(ms));
  return times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length);
}
