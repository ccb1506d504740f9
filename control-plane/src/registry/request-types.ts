/** How a request ended; the place in this list is what is stored, so it only grows at its end. */
export const REQUEST_OUTCOMES = [
  'ok',
  /** The client's own fault: 4xx. */
  'client_error',
  /** No target could take it. */
  'refused',
  /** Every attempt failed. */
  'failed',
  /** The answer broke off after its first byte had been forwarded. */
  'interrupted',
  'client_gone',
  /** A check was refused: the fabric's own question, which no client waits for. */
  'check_refused',
] as const;
/** What sums count: these columns. A refused check is in none. */
export const SUMMED_OUTCOMES: readonly RequestOutcome[] = REQUEST_OUTCOMES.filter(
  (outcome) => outcome !== 'check_refused',
);
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/** What was found out about one target when a request looked for one. */
export interface CandidateVerdict {
  readonly target: string;
  /** `chosen`, `passed_over`, or the code of what stood in the way. */
  readonly verdict: string;
  /** Predicted; `null` where it was not. */
  readonly costSeconds: number | null;
}

/** Targets that have no line of their own: of hundreds that compete the cheapest tell enough. */
export interface CountedVerdict {
  readonly verdict: string;
  readonly count: number;
}

/** One look for a target, and what came of it. */
export interface RouteRound {
  /** Why the chosen one was chosen, or why none was. */
  readonly reason: string;
  readonly considered: readonly CandidateVerdict[];
  /** Left out where all have a line. */
  readonly others?: readonly CountedVerdict[];
  /** The code with which the attempt failed. */
  readonly failure: string | null;
}

/** A request that is over. Codes and names, no words, and nothing of its body. */
export interface RequestRow {
  /** This server's clock. */
  readonly endedAtMs: number;
  /** `x-request-id`: not unique where clients choose it. */
  readonly requestId: string;
  /** Who asked; `''` where admission let nobody in. */
  readonly key: string;
  /** What was asked for, by its declared name; `''` where the name is none of ours. */
  readonly role: string;
  /** What served it last, or was asked last; `''` where nothing was asked. */
  readonly target: string;
  /** That target's host, or its provider; `''` where nothing was asked. */
  readonly host: string;
  /** Behind `/v1`; `''` where it is none of an engine. */
  readonly endpoint: string;
  readonly stream: boolean;
  readonly outcome: RequestOutcome;
  /** HTTP's, as it was sent; `null` where the client left before. */
  readonly status: number | null;
  readonly reason: string;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
  /** From asking the target to its first byte, of a stream. */
  readonly ttftMs: number | null;
  readonly totalMs: number;
  /** What it waited here for targets. */
  readonly queueMs: number;
  readonly attempts: number;
  /** In order; empty where nothing was looked for. */
  readonly rounds: readonly RouteRound[];
}

/** A request as it is read again. */
export interface LoggedRequest extends Omit<RequestRow, 'rounds'> {
  /** Rises with each row, in the order in which requests ended. */
  readonly sequence: number;
}

export interface ExplainedRequest extends LoggedRequest {
  /** Targets that were looked at; one that several rounds looked at counts once. */
  readonly consideredCount: number;
  /** `null`: not kept, or not any more. A request with one target and one attempt needs none. */
  readonly rounds: readonly RouteRound[] | null;
}

export interface RequestLog {
  /** Never blocks, never throws. */
  append(row: RequestRow): void;
  /** Waiting to be written, a batch under way included. */
  readonly queuedCount: number;
  /** Lost since start: the queue or the disk was full, or the file could not be written for too long. */
  readonly droppedCount: number;
}

export interface RequestFilter {
  readonly role?: string | undefined;
  readonly key?: string | undefined;
  readonly host?: string | undefined;
  /** Whatever did not end well, but for clients that left. */
  readonly failed?: boolean | undefined;
  /** Ended at or after. */
  readonly fromMs?: number | undefined;
  /** Ended before. */
  readonly toMs?: number | undefined;
}

export interface RequestPageQuery extends RequestFilter {
  readonly limit: number;
  /** Newest first, from below this sequence. */
  readonly beforeSequence?: number | undefined;
  /** Oldest first, from above this sequence; not together with the other. */
  readonly afterSequence?: number | undefined;
}

export interface RequestPage {
  readonly rows: readonly LoggedRequest[];
  /** Where to go on; `null` at the end. A page may hold fewer rows than asked for, even none, and yet go on. */
  readonly nextSequence: number | null;
  /** Everything up to here was looked at: where a follower goes on. */
  readonly newestSequence: number;
}

export const USAGE_DIMENSIONS = ['role', 'target', 'host', 'key'] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

export interface UsageQuery {
  readonly by: UsageDimension;
  readonly per: 'hour' | 'day';
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  readonly after: { readonly bucketStartMs: number; readonly nameId: number } | null;
}

export interface UsageRow {
  /** An hour or a day of UTC. */
  readonly bucketStartMs: number;
  readonly nameId: number;
  readonly name: string;
  readonly requests: number;
  readonly ok: number;
  readonly clientErrors: number;
  readonly refused: number;
  readonly failed: number;
  readonly interrupted: number;
  readonly clientGone: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly totalMs: number;
  readonly maxTotalMs: number;
  readonly queueMs: number;
  /** Of the streams that `ttftCount` counts. */
  readonly ttftMs: number;
  readonly ttftCount: number;
}
