import type { Registry } from 'prom-client';
import type { SleepAction } from '../fleet/decide/plan-sleep.js';
import type { SleepCount } from '../fleet/sleep-book.js';
import type { SleepGauges } from '../fleet/sleep-fleet.js';
import { addLiveCounter, addLiveGauge } from './live-gauge.js';

const ACTIONS: readonly SleepAction[] = ['suspend', 'hibernate', 'poweroff', 'container-only'];
const OUTCOMES: readonly SleepCount['outcome'][] = ['asleep', 'failed'];
/** Each from the start on, so that the first of its kind is an increase. */
const KINDS = ACTIONS.flatMap((action) => OUTCOMES.map((outcome) => ({ action, outcome })));

/** Hosts that are put to sleep. */
export function addSleepMetrics(registry: Registry, sleeps: () => SleepGauges): void {
  addLiveGauge(
    registry,
    { name: 'ai_fabric_sleeps_under_way', help: 'Hosts that are being put to sleep', labelNames: [] },
    () => [{ labels: {}, value: sleeps().underWay }],
  );
  const read = (value: (found: SleepCount | undefined) => number) => () => {
    const { ended } = sleeps();
    return KINDS.map((labels) => ({
      labels,
      value: value(ended.find((each) => each.action === labels.action && each.outcome === labels.outcome)),
    }));
  };
  addLiveCounter(
    registry,
    {
      name: 'ai_fabric_sleeps_total',
      help: 'Times that a host was to be put to sleep since start, by how and by what came of it',
      labelNames: ['action', 'outcome'],
    },
    read((found) => found?.count ?? 0),
  );
  addLiveCounter(
    registry,
    {
      name: 'ai_fabric_sleep_seconds_total',
      help: 'How long these took, from the word until the host slept or stayed awake after all',
      labelNames: ['action', 'outcome'],
    },
    read((found) => found?.seconds ?? 0),
  );
}
