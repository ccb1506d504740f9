import type { Registry } from 'prom-client';
import { WAKE_PHASES } from '../fleet/decide/step-flight.js';
import type { WakeGauges } from '../fleet/wake-fleet.js';
import type { LiveView } from '../live/live-view.js';
import { addLiveCounter, addLiveGauge } from './live-gauge.js';

/** Hosts' power and their wakes. */
export function addWakeMetrics(registry: Registry, live: LiveView, wakes: () => WakeGauges): void {
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_host_power_state',
      help: '1 for the state that a host is in: unseen, online, late, asleep, waking, offline',
      labelNames: ['host', 'state'],
    },
    () =>
      [...live.hosts()].map(({ name, power }) => ({ labels: { host: name, state: power.state }, value: 1 })),
  );
  addLiveGauge(
    registry,
    { name: 'ai_fabric_wakes_under_way', help: 'Hosts that are being woken', labelNames: [] },
    () => [{ labels: {}, value: wakes().underWay }],
  );
  addLiveGauge(
    registry,
    { name: 'ai_fabric_wake_waiters', help: 'Requests that are held for a wake', labelNames: [] },
    () => [{ labels: {}, value: wakes().waiters }],
  );
  addLiveCounter(
    registry,
    {
      name: 'ai_fabric_wakes_total',
      help: 'Wakes that have ended since start, by what came of them and, of those that failed, by phase',
      labelNames: ['outcome', 'phase'],
    },
    () => endedLines(wakes().ended),
  );
}

/** Each from the start on, so that the first of its kind is an increase. */
function endedLines(ended: WakeGauges['ended']) {
  const kinds = [
    { outcome: 'ready', phase: '' },
    { outcome: 'cancelled', phase: '' },
    ...WAKE_PHASES.map((phase) => ({ outcome: 'failed', phase: phase as string })),
  ];
  return kinds.map(({ outcome, phase }) => {
    const found = ended.find((each) => each.outcome === outcome && each.phase === phase);
    return { labels: { outcome, phase }, value: found?.count ?? 0 };
  });
}
