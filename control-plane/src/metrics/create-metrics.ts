import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { SleepGauges } from '../fleet/sleep-fleet.js';
import type { WakeGauges } from '../fleet/wake-fleet.js';
import type { Spool } from '../gateway/body/spool.js';
import type { GatewayMetrics } from '../gateway/gateway-metrics.js';
import type { ConnectionGauge } from '../http/listeners.js';
import type { LiveView } from '../live/live-view.js';
import type { RouterGauges } from '../router/gauge-types.js';
import type { TunnelGauge } from '../tunnel/tunnel-book.js';
import { VERSION } from '../version.js';
import { addFleetMetrics } from './fleet-metrics.js';
import { addFrontDoorMetrics } from './front-door-metrics.js';
import { addGatewayMetrics } from './gateway-metrics-export.js';
import { addLiveCounter, addLiveGauge } from './live-gauge.js';
import { addRouterMetrics } from './router-metrics.js';
import { addSleepMetrics } from './sleep-metrics.js';
import { addTunnelMetrics } from './tunnel-metrics.js';
import { addWakeMetrics } from './wake-metrics.js';

export interface MetricsSources {
  readonly live: LiveView;
  readonly gatewayMetrics: GatewayMetrics;
  readonly routerGauges: () => RouterGauges;
  readonly tunnels: () => readonly TunnelGauge[];
  readonly wakes: () => WakeGauges;
  readonly sleeps: () => SleepGauges;
  readonly connections: () => readonly ConnectionGauge[];
  readonly spool: Pick<Spool, 'bytes' | 'files' | 'totalBytes'>;
  readonly status: () => {
    readonly linkedHosts: number;
    readonly feedSubscribers: number;
    readonly droppedObservations: number;
    readonly droppedRequestRows: number;
  };
}

export interface Metrics {
  readonly text: () => Promise<{ readonly contentType: string; readonly text: string }>;
  close(): void;
}

/** Gauges of prom-client's own that Prometheus' conventions would have as counters; their twins say the same by type. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Between two ticks of the meter that tells how late they are. More of them would be what an idle process does. */
const LOOP_METER_MS = 10;

/** Prometheus' view of everything; counted elsewhere, read here when somebody scrapes. One per control plane. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const loopDelay = monitorEventLoopDelay({ resolution: LOOP_METER_MS });
  loopDelay.enable();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  addLoopDelay(registry, loopDelay);
  addFleetMetrics(registry, sources.live);
  addGatewayMetrics(registry, sources.gatewayMetrics);
  addRouterMetrics(registry, sources.routerGauges);
  addTunnelMetrics(registry, sources.tunnels);
  addWakeMetrics(registry, sources.live, sources.wakes);
  addSleepMetrics(registry, sources.sleeps);
  addFrontDoorMetrics(registry, sources.connections, sources.spool);
  addOwnMetrics(registry, sources.status);
  return {
    text: async () => ({ contentType: registry.contentType, text: await writeAll(registry) }),
    close: () => loopDelay.disable(),
  };
}

/** One metric a turn of the event loop: with a thousand hosts, all of them at once would hold up every stream. */
async function writeAll(registry: Registry): Promise<string> {
  const blocks: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    blocks.push(await registry.getSingleMetricAsString(name));
    await nextTurn();
  }
  return `${blocks.join('\n\n')}\n`;
}

/**
 * How late the meter's ticks were, since the scrape before: prom-client's own figure forgets between collections, starts late,
 * and holds the time between two ticks in every sample.
 */
function addLoopDelay(registry: Registry, delay: ReturnType<typeof monitorEventLoopDelay>): void {
  // A label of the name `quantile` is kept for summaries, and this is none: it has no sum.
  for (const percentile of [50, 99]) {
    const name = `ai_fabric_event_loop_delay_p${percentile}_seconds`;
    const help = `How late timers of the event loop fired since the scrape before, ${percentile} of 100 below it`;
    addLiveGauge(registry, { name, help, labelNames: [] }, () => {
      const value = Math.max(0, delay.percentile(percentile) / 1e9 - LOOP_METER_MS / 1e3);
      if (percentile === 99) delay.reset();
      return [{ labels: {}, value }];
    });
  }
}

function addOwnMetrics(registry: Registry, status: MetricsSources['status']): void {
  const one = (value: number) => [{ labels: {}, value }];
  const metric = (name: string, help: string) => ({ name, help, labelNames: [] });
  addLiveGauge(registry, metric('ai_fabric_linked_hosts', 'Hosts with a link'), () =>
    one(status().linkedHosts),
  );
  addLiveGauge(registry, metric('ai_fabric_feed_subscribers', 'Subscribers of the telemetry feed'), () =>
    one(status().feedSubscribers),
  );
  addLiveCounter(
    registry,
    metric('ai_fabric_observations_dropped_total', 'Observations that could not be written, since start'),
    () => one(status().droppedObservations),
  );
  addLiveGauge(
    registry,
    { name: 'ai_fabric_build_info', help: '1, with the version that runs', labelNames: ['version'] },
    () => [{ labels: { version: VERSION }, value: 1 }],
  );
  addLiveCounter(
    registry,
    metric(
      'ai_fabric_request_rows_dropped_total',
      'Rows of the request log that could not be written, since start',
    ),
    () => one(status().droppedRequestRows),
  );
}
