import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { GatewayMetrics } from '../gateway/gateway-metrics.js';
import type { LiveView } from '../live/live-view.js';
import type { RouterGauges } from '../router/route-types.js';
import { addFleetMetrics } from './fleet-metrics.js';
import { addGatewayMetrics } from './gateway-metrics-export.js';
import { addRouterMetrics } from './router-metrics.js';

export interface MetricsSources {
  readonly live: LiveView;
  readonly gatewayMetrics: GatewayMetrics;
  readonly routerGauges: () => RouterGauges;
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

/** Prometheus' view of everything; counted elsewhere, read here when somebody scrapes. One per control plane. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const loopDelay = monitorEventLoopDelay({ resolution: 10 });
  loopDelay.enable();
  collectDefaultMetrics({ register: registry });
  addLoopDelay(registry, loopDelay);
  addFleetMetrics(registry, sources.live);
  addGatewayMetrics(registry, sources.gatewayMetrics);
  addRouterMetrics(registry, sources.routerGauges);
  addOwnMetrics(registry, sources.status);
  return {
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    close: () => loopDelay.disable(),
  };
}

/** Since the scrape before: prom-client's own figure forgets between collections and starts late. */
function addLoopDelay(registry: Registry, delay: ReturnType<typeof monitorEventLoopDelay>): void {
  new Gauge({
    name: 'ai_fabric_event_loop_delay_seconds',
    help: 'Delay of the event loop since the scrape before, by quantile',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const percentile of [50, 99]) {
        this.set({ quantile: String(percentile / 100) }, delay.percentile(percentile) / 1e9);
      }
      delay.reset();
    },
  });
}

function addOwnMetrics(registry: Registry, status: MetricsSources['status']): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('ai_fabric_linked_hosts', 'Hosts with a link', () => status().linkedHosts);
  gauge('ai_fabric_feed_subscribers', 'Subscribers of the telemetry feed', () => status().feedSubscribers);
  gauge(
    'ai_fabric_observations_dropped',
    'Observations that could not be written, since start',
    () => status().droppedObservations,
  );
  gauge(
    'ai_fabric_request_rows_dropped',
    'Rows of the request log that could not be written, since start',
    () => status().droppedRequestRows,
  );
}
