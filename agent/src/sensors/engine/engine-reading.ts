import { type Clock, type EngineReading, emptyEngineReading, type Issue } from '@ai-fabric/shared';
import type { Dispatcher, Pool } from 'undici';
import { describeIssue } from '../decide/describe-issue.js';
import { type ClosableSensor, reading, type SensorResult, unavailable } from '../sensor.js';
import { findMetricsUrl } from './decide/find-metrics-url.js';
import { MAX_METRICS_LENGTH, parseEngineMetrics } from './decide/parse-engine-metrics.js';

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
  const metricsUrl = findMetricsUrl(options.url);
  let pool: Promise<Pool> | null = null;
  let inFlight: Promise<SensorResult<EngineReading>> | null = null;
  const closing = new AbortController();
  const readOnce = async (url: URL, signal: AbortSignal): Promise<SensorResult<EngineReading>> => {
    pool ??= openPool(url.origin);
    try {
      return await ask(await pool, url, options, signal);
    } catch (error) {
      return unavailable(unreachable(options, describe(error, options)));
    }
  };
  return {
    read: (signal) => {
      if (metricsUrl === null)
        return Promise.resolve(unavailable(unreachable(options, 'its URL is not valid')));
      inFlight ??= readOnce(new URL(metricsUrl), AbortSignal.any([signal, closing.signal])).finally(() => {
        inFlight = null;
      });
      return inFlight;
    },
    close: async () => {
      closing.abort();
      await inFlight;
      await (await pool)?.destroy();
    },
  };
}

/** Loaded with the first engine: a host without one does without its memory. */
async function openPool(origin: string): Promise<Pool> {
  const { Pool: EnginePool } = await import('undici');
  return new EnginePool(origin, { connections: 1, connect: { timeout: DEADLINE_MS } });
}

async function ask(
  pool: Pool,
  { pathname }: URL,
  options: EngineReadingOptions,
  signal: AbortSignal,
): Promise<SensorResult<EngineReading>> {
  const deadline = new AbortController();
  const timer = options.clock.after(deadlineOf(options), () => deadline.abort(new DeadlineError()));
  try {
    const answer = await pool.request({
      method: 'GET',
      path: pathname,
      headers: { accept: 'text/plain' },
      signal: AbortSignal.any([signal, deadline.signal]),
    });
    return await judge(answer, options);
  } finally {
    timer.cancel();
  }
}

async function judge(
  { statusCode, body }: Dispatcher.ResponseData,
  options: EngineReadingOptions,
): Promise<SensorResult<EngineReading>> {
  if (statusCode === 200) {
    const text = await readText(body);
    return text === null
      ? unavailable(unreachable(options, `its metrics are longer than ${MAX_METRICS_LENGTH} bytes`))
      : reading(parseEngineMetrics(text));
  }
  await body.dump({ limit: 64 * 1024 });
  if (statusCode === 404) return reading({ ...emptyEngineReading });
  const redirected = statusCode >= 300 && statusCode < 400;
  return unavailable(
    unreachable(
      options,
      `it answers ${statusCode}${redirected ? ': a redirect, which is not followed' : ''}`,
    ),
  );
}

/** @returns `null` when there is more than is read; the connection is then dropped */
async function readText(body: Dispatcher.ResponseData['body']): Promise<string | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_METRICS_LENGTH) return null;
    pieces.push(piece);
  }
  // Names, labels that are read and numbers are ASCII: one byte is one character, whatever else there is.
  return Buffer.concat(pieces, bytes).toString('latin1');
}

class DeadlineError extends Error {}

function deadlineOf({ deadlineMs }: EngineReadingOptions): number {
  return deadlineMs ?? DEADLINE_MS;
}

function unreachable({ deployment, url }: EngineReadingOptions, why: string): Issue {
  const place = URL.canParse(url) ? new URL(url).host : 'its address';
  return describeIssue(
    'engine_unreachable',
    'warning',
    deployment,
    `The metrics of the engine at ${place} cannot be read: ${why}.`,
    'Start the engine, or correct the url of the deployment.',
  );
}

function describe(error: unknown, options: EngineReadingOptions): string {
  if (error instanceof DeadlineError) return `no whole answer within ${deadlineOf(options) / 1000} s`;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ECONNREFUSED') return 'it refuses connections: it is starting, or not running';
  return String(code ?? message ?? error);
}
