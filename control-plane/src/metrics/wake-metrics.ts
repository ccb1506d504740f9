import type { Registry } from 'prom-client';
import { WAKE_PHASES } from '../fleet/decide/step-flight.js';
import type { WakeGauges } from '../fleet/wake-fleet.js';
import type { UsualSeconds, WakeTimes } from '../live/host-power.js';
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
  addLiveGauge(
    registry,
    {
      name: 'ai_fabric_wake_usual_seconds',
      help: 'How long the last 20 wakes of a host took: packet_to_agent, agent_to_ready or total (from the wish), by percentile',
      labelNames: ['host', 'deployment', 'stretch', 'percentile'],
    },
    () => [...live.hosts()].flatMap(({ name, power }) => usualLines(name, power.wakeTimes)),
  );
}

function usualLines(host: string, { packetToAgent, deployments }: WakeTimes) {
  const lines = (deployment: string, stretch: string, usual: UsualSeconds | null) =>
    (usual === null
      ? []
      : ([
          ['50', usual.p50],
          ['95', usual.p95],
        ] as const)
    ).map(([percentile, value]) => ({
      labels: { host, deployment, stretch, percentile },
      value,
    }));
  const ofModels = Object.entries(deployments).flatMap(([deployment, { agentToReady, total }]) => [
    ...lines(deployment, 'agent_to_ready', agentToReady),
    ...lines(deployment, 'total', total),
  ]);
  return [...lines('', 'packet_to_agent', packetToAgent), ...ofModels];
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
