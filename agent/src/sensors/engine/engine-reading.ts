import { type Clock, type EngineReading, emptyEngineReading, type Issue } from '@ai-fabric/shared';
import { describeIssue } from '../decide/describe-issue.js';
import { type ClosableSensor, reading, type SensorResult, unavailable } from '../sensor.js';
import { findMetricsUrl } from './decide/find-metrics-url.js';
import { quantilesBetween } from './decide/latency-quantiles.js';
import {
  type EngineLatencies,
  MAX_METRICS_LENGTH,
  parseEngineMetrics,
} from './decide/parse-engine-metrics.js';
import { type EngineHttp, engineHttp } from './engine-http.js';

export interface EngineReadingOptions {
  /** Names the replica in issues. */
  readonly deployment: string;
  /** Where the engine answers, with or without "/v1". */
  readonly url: string;
  readonly clock: Clock;
  /** For the whole answer, body included. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 3_000;

/**
 * Reads an engine's `/metrics` over one connection that is kept. An engine without metrics (404) is no fault: its
 * reading is all unknown. A redirect is never followed. Reads at the same time share one request.
 */
export function engineReadingSensor(options: EngineReadingOptions): ClosableSensor<EngineReading> {
  const found = findMetricsUrl(options.url);
  const metricsUrl = found === null ? null : new URL(found);
  const client = engineHttp(options.clock);
  let current: Promise<SensorResult<EngineReading>> | null = null;
  let closed = false;
  let latencies: EngineLatencies | null = null;
  const withQuantiles = (text: string): EngineReading => {
    const before = latencies;
    const metrics = parseEngineMetrics(text);
    latencies = metrics.latencies;
    return addQuantiles(metrics.reading, before, latencies);
  };
  const begin = (url: URL, signal: AbortSignal): Promise<SensorResult<EngineReading>> => {
    current = readMetrics(client, url, options, signal, withQuantiles).finally(() => {
      current = null;
    });
    return current;
  };
  return {
    read: (signal) => {
      if (metricsUrl === null) return Promise.resolve(unavailable(unreadable(options, 'has no valid URL')));
      if (closed) return Promise.resolve(unavailable(unreadable(options, 'is no longer watched')));
      return current ?? begin(metricsUrl, signal);
    },
    close: async () => {
      closed = true;
      client.close();
      await current;
    },
  };
}

function addQuantiles(
  reading: EngineReading,
  before: EngineLatencies | null,
  after: EngineLatencies,
): EngineReading {
  const firstToken = quantilesBetween(before?.timeToFirstToken ?? null, after.timeToFirstToken);
  const interToken = quantilesBetween(before?.interToken ?? null, after.interToken);
  return {
    ...reading,
    timeToFirstTokenP50Seconds: firstToken.p50,
    timeToFirstTokenP95Seconds: firstToken.p95,
    interTokenP50Seconds: interToken.p50,
    interTokenP95Seconds: interToken.p95,
  };
}

async function readMetrics(
  client: EngineHttp,
  url: URL,
  options: EngineReadingOptions,
  signal: AbortSignal,
  parse: (text: string) => EngineReading,
): Promise<SensorResult<EngineReading>> {
  try {
    const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    const { status, body } = await client.request({
      method: 'GET',
      url,
      signal,
      deadlineMs,
      maxBytes: MAX_METRICS_LENGTH,
    });
    // Names, labels that are read and numbers are ASCII: one byte is one character, whatever else there is.
    if (status === 200) return reading(parse(body.toString('latin1')));
    if (status === 404) return reading({ ...emptyEngineReading });
    const redirects = status >= 300 && status < 400;
    return unavailable(
      unreadable(options, `answers ${status}${redirects ? ': a redirect, which is not followed' : ''}`),
    );
  } catch (error) {
    return unavailable(unreadable(options, error instanceof Error ? error.message : String(error)));
  }
}

function unreadable({ deployment, url }: EngineReadingOptions, what: string): Issue {
  // The host alone: a URL may hold a password.
  const place = URL.canParse(url) ? ` at ${new URL(url).host}` : '';
  return describeIssue(
    'engine_unreachable',
    'warning',
    deployment,
    `The engine's metrics cannot be read: the engine${place} ${what}.`,
    'Start the engine, or correct the url of the deployment.',
  );
}
