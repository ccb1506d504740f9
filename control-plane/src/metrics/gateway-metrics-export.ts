import { Counter, Gauge, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client';
import { type GatewayMetrics, type Histogram, LATENCY_BOUNDS_SECONDS } from '../gateway/gateway-metrics.js';

/** The gateway counts in plain numbers; here they become Prometheus' lines, at scrape time only. */
export function addGatewayMetrics(registry: Registry, gateway: GatewayMetrics): void {
  addCounters(registry, gateway);
  addTokenCounters(registry, gateway);
  addHistogram(registry, 'ai_fabric_request_duration_seconds', 'From request to the end of the answer', () =>
    [...gateway.routes].map(({ role, target, duration }) => ({
      labels: { role, target },
      histogram: duration,
    })),
  );
  addHistogram(
    registry,
    'ai_fabric_time_to_first_token_seconds',
    'From asking the target to its first byte, streams only',
    () =>
      [...gateway.routes].map(({ role, target, ttft }) => ({ labels: { role, target }, histogram: ttft })),
  );
  addHistogram(
    registry,
    'ai_fabric_hold_seconds',
    'What requests were held for a target that was expected, by class and by how the wait ended',
    () =>
      [...gateway.holds].map(({ role, requestClass, outcome, held }) => ({
        labels: { role, class: requestClass, outcome },
        histogram: held,
      })),
  );
}

function addCounters(registry: Registry, gateway: GatewayMetrics): void {
  const registers = [registry];
  new Counter({
    name: 'ai_fabric_requests_total',
    help: 'Finished requests by what was asked for, what served it and how it ended',
    labelNames: ['role', 'target', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { role, target, requests } of gateway.routes) {
        for (const [outcome, count] of Object.entries(requests)) {
          if (count > 0) this.inc({ role, target, outcome }, count);
        }
      }
    },
  });
  new Counter({
    name: 'ai_fabric_attempt_failures_total',
    help: 'Attempts that failed, by target and code',
    labelNames: ['target', 'code'],
    registers,
    collect() {
      this.reset();
      for (const { target, code, failures } of gateway.failures) this.inc({ target, code }, failures);
    },
  });
  new Counter({
    name: 'ai_fabric_retries_total',
    help: 'Attempts beyond the first of a request',
    registers,
    collect() {
      this.reset();
      this.inc(gateway.retriesTotal);
    },
  });
  new Gauge({
    name: 'ai_fabric_open_requests',
    help: 'Requests that are in the gateway now',
    registers,
    collect() {
      this.set(gateway.openRequests);
    },
  });
}

function addTokenCounters(registry: Registry, gateway: GatewayMetrics): void {
  new Counter({
    name: 'ai_fabric_tokens_total',
    help: 'Tokens as the targets counted them; cached ones are part of the prompt',
    labelNames: ['role', 'target', 'kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { role, target, promptTokens, completionTokens, cachedTokens } of gateway.routes) {
        if (target === '') continue;
        this.inc({ role, target, kind: 'prompt' }, promptTokens);
        this.inc({ role, target, kind: 'completion' }, completionTokens);
        this.inc({ role, target, kind: 'cached' }, cachedTokens);
      }
    },
  });
}

type Labels = 'role' | 'target' | 'class' | 'outcome' | 'le';
interface LabelledHistogram {
  readonly labels: Readonly<Partial<Record<Exclude<Labels, 'le'>, string>>>;
  readonly histogram: Histogram;
}

/**
 * prom-client's own Histogram can only be fed one observation at a time; this one shows buckets that were counted
 * elsewhere, cumulative as Prometheus wants them.
 */
function addHistogram(
  registry: Registry,
  name: string,
  help: string,
  read: () => readonly LabelledHistogram[],
): void {
  const metric = new Gauge<Labels>({
    name,
    help,
    labelNames: ['role', 'target', 'class', 'outcome', 'le'],
    registers: [],
  });
  registry.registerMetric(
    Object.assign(metric, {
      get: (): Promise<MetricObjectWithValues<MetricValue<Labels>>> =>
        Promise.resolve({
          name,
          help,
          type: 'histogram',
          aggregator: 'sum',
          values: read().flatMap(({ labels, histogram }) => bucketLines(name, labels, histogram)),
          // prom-client's types know neither the text of a kind nor the lines of a histogram; its renderer reads both.
        } as unknown as MetricObjectWithValues<MetricValue<Labels>>),
    }),
  );
}

function bucketLines(
  name: string,
  labels: LabelledHistogram['labels'],
  histogram: Histogram,
): (MetricValue<Labels> & { metricName: string })[] {
  let cumulative = 0;
  const lines = histogram.counts.map((count, index) => {
    cumulative += count;
    const bound = LATENCY_BOUNDS_SECONDS[index];
    const le = bound === undefined ? '+Inf' : String(bound);
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: cumulative };
  });
  return [
    ...lines,
    { metricName: `${name}_sum`, labels, value: histogram.sum },
    { metricName: `${name}_count`, labels, value: histogram.count },
  ];
}
