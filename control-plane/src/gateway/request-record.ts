import type { RequestOutcome, RequestRow, RouteRound } from '../registry/request-types.js';
import type { RequestContext } from './request-context.js';

/** Where rows of the request log go: it neither blocks nor throws. */
export interface RequestRecorder {
  append(row: RequestRow): void;
}

/** What an exchange knows at its end. */
export interface FinishedExchange {
  readonly endedAtMs: number;
  readonly context: RequestContext;
  readonly role: string;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly outcome: RequestOutcome;
  readonly status: number | null;
  /** As `x-fabric-reason` has it: a code, then what it is about. */
  readonly reason: string;
  readonly usage: Pick<RequestRow, 'promptTokens' | 'completionTokens' | 'cachedTokens'> | null;
  readonly ttftMs: number | null;
  readonly totalMs: number;
  /** `null` where nothing was looked for. */
  readonly loop: {
    readonly target: string;
    readonly host: string;
    readonly attempts: number;
    readonly queueMs: number;
    readonly rounds: readonly RouteRound[];
  } | null;
}

/** Longer ones are some engine's words, not codes. */
const REASON_MAX_CHARS = 64;
const NO_ROUNDS: readonly RouteRound[] = [];

export function recordOf(finished: FinishedExchange): RequestRow {
  const { context, loop, usage } = finished;
  return {
    endedAtMs: finished.endedAtMs,
    requestId: context.requestId,
    key: context.key.name,
    role: finished.role,
    target: loop?.target ?? '',
    host: loop === null || loop.attempts === 0 ? '' : loop.host,
    endpoint: finished.endpoint,
    stream: finished.stream,
    outcome: finished.outcome,
    status: finished.status,
    reason: codeOf(finished.reason),
    promptTokens: usage?.promptTokens ?? null,
    completionTokens: usage?.completionTokens ?? null,
    cachedTokens: usage?.cachedTokens ?? null,
    ttftMs: finished.ttftMs,
    totalMs: finished.totalMs,
    queueMs: loop?.queueMs ?? 0,
    attempts: loop?.attempts ?? 0,
    rounds: loop?.rounds ?? NO_ROUNDS,
  };
}

/** A request that was refused before anybody looked at its body. */
export function refusedRecord(
  requestId: string,
  key: string,
  code: string,
  status: number,
  endedAtMs: number,
): RequestRow {
  return {
    ...{ endedAtMs, requestId, key, role: '', target: '', host: '', endpoint: '', stream: false },
    ...{ outcome: status < 500 ? 'client_error' : 'refused', status, reason: code },
    ...{ promptTokens: null, completionTokens: null, cachedTokens: null, ttftMs: null },
    ...{ totalMs: 0, queueMs: 0, attempts: 0, rounds: NO_ROUNDS },
  };
}

function codeOf(reason: string): string {
  const end = reason.indexOf(';');
  return reason.slice(0, Math.min(end < 0 ? reason.length : end, REASON_MAX_CHARS));
}
