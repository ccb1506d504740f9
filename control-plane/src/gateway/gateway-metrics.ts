import type { RequestClass } from '../declared/request-class.js';
import type { RequestOutcome } from '../registry/request-types.js';

export interface FinishedRequest {
  /** What was asked for, by its declared name; `''` where the name is none of ours. */
  readonly role: string;
  /** What served it last; `''` where nothing was asked. */
  readonly target: string;
  readonly outcome: RequestOutcome;
  readonly attempts: number;
  readonly durationSeconds: number;
  /** From asking the target to its first byte, of a stream; `null` for the rest. */
  readonly ttftSeconds: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

/** A histogram in Prometheus' sense; `counts[i]` is of values up to `bounds[i]`, not cumulative, the last one `+Inf`. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Counters of one pair of what was asked for and what served it. */
export interface RouteSeries {
  readonly role: string;
  readonly target: string;
  readonly requests: Readonly<Record<RequestOutcome, number>>;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly duration: Histogram;
  readonly ttft: Histogram;
}

export interface FailureSeries {
  readonly target: string;
  readonly code: string;
  readonly failures: number;
}

/**
 * How a wait ended. `queue_full`: it never began. `displaced`: one of a key with fewer in the queue took its place. `paced`: served,
 * and it had only waited for prompts that were read first.
 */
export type HoldOutcome =
  | 'served'
  | 'paced'
  | 'cloud'
  | 'patience_over'
  | 'displaced'
  | 'refused'
  | 'left'
  | 'queue_full';

export interface HoldSeries {
  readonly role: string;
  readonly requestClass: RequestClass;
  readonly outcome: HoldOutcome;
  readonly held: Histogram;
}

/** Upper bounds of the histograms, seconds. */
export const LATENCY_BOUNDS_SECONDS: readonly number[] = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
];

/** Different label sets kept; what comes beyond is counted under `other`. */
const MAX_SERIES = 1_000;
const OTHER = 'other';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
interface MutableHistogram extends Mutable<Histogram> {
  counts: number[];
}
interface MutableRoute extends Mutable<RouteSeries> {
  requests: Record<RequestOutcome, number>;
  duration: MutableHistogram;
  ttft: MutableHistogram;
}

/** The gateway's counters: plain numbers on the request path, read at scrape time. */
export class GatewayMetrics {
  /** Requests that are in the gateway now. */
  openRequests = 0;
  /** Attempts beyond the first of a request. */
  retriesTotal = 0;
  readonly #routes = new Map<string, MutableRoute>();
  readonly #failures = new Map<string, Mutable<FailureSeries>>();
  readonly #holds = new Map<string, HoldSeries & { readonly held: MutableHistogram }>();

  get routes(): Iterable<RouteSeries> {
    return this.#routes.values();
  }

  get failures(): Iterable<FailureSeries> {
    return this.#failures.values();
  }

  get holds(): Iterable<HoldSeries> {
    return this.#holds.values();
  }

  holdEnded(role: string, requestClass: RequestClass, outcome: HoldOutcome, seconds: number): void {
    const key = `${role}\n${requestClass}\n${outcome}`;
    let series = this.#holds.get(key);
    if (series === undefined) {
      if (this.#holds.size >= MAX_SERIES && role !== OTHER) {
        this.holdEnded(OTHER, requestClass, outcome, seconds);
        return;
      }
      series = { role, requestClass, outcome, held: makeHistogram() };
      this.#holds.set(key, series);
    }
    observe(series.held, seconds);
  }

  requestFinished(request: FinishedRequest): void {
    const route = this.#route(request.role, request.target);
    this.retriesTotal += Math.max(0, request.attempts - 1);
    route.requests[request.outcome]++;
    route.promptTokens += request.promptTokens ?? 0;
    route.completionTokens += request.completionTokens ?? 0;
    route.cachedTokens += request.cachedTokens ?? 0;
    observe(route.duration, request.durationSeconds);
    if (request.ttftSeconds !== null) observe(route.ttft, request.ttftSeconds);
  }

  attemptFailed(target: string, code: string): void {
    const key = `${target}\n${code}`;
    let series = this.#failures.get(key);
    if (series === undefined) {
      if (this.#failures.size >= MAX_SERIES && target !== OTHER) {
        this.attemptFailed(OTHER, code);
        return;
      }
      series = { target, code, failures: 0 };
      this.#failures.set(key, series);
    }
    series.failures++;
  }

  #route(role: string, target: string): MutableRoute {
    const key = `${role}\n${target}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    if (this.#routes.size >= MAX_SERIES && role !== OTHER) return this.#route(OTHER, OTHER);
    const route = makeRoute(role, target);
    this.#routes.set(key, route);
    return route;
  }
}

function makeRoute(role: string, target: string): MutableRoute {
  return {
    role,
    target,
    requests: {
      ...{ ok: 0, client_error: 0, refused: 0, failed: 0, interrupted: 0, client_gone: 0 },
      check_refused: 0,
    },
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    duration: makeHistogram(),
    ttft: makeHistogram(),
  };
}

function makeHistogram(): MutableHistogram {
  return { counts: new Array<number>(LATENCY_BOUNDS_SECONDS.length + 1).fill(0), sum: 0, count: 0 };
}

function observe(histogram: MutableHistogram, seconds: number): void {
  let bucket = 0;
  while (bucket < LATENCY_BOUNDS_SECONDS.length && seconds > (LATENCY_BOUNDS_SECONDS[bucket] as number))
    bucket++;
  histogram.counts[bucket] = (histogram.counts[bucket] as number) + 1;
  histogram.sum += seconds;
  histogram.count++;
}
