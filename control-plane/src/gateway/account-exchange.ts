import type { BodyCapture } from '../bodies/capture-body.js';
import type { RequestOutcome } from '../registry/request-types.js';
import { settleUse } from './admission/decide/settle-use.js';
import type { Reservation } from './admission/key-limiter.js';
import type { AttemptLoop } from './attempt-loop.js';
import type { Usage } from './decide/read-usage.js';
import type { GatewayParts } from './gateway-parts.js';
import type { RequestContext } from './request-context.js';
import { recordOf } from './request-record.js';

/** A request that is over. */
export interface EndedExchange {
  readonly context: RequestContext;
  readonly role: string;
  /** Its path behind `/v1`. */
  readonly endpoint: string;
  readonly stream: boolean;
  readonly outcome: RequestOutcome;
  /** As `x-fabric-reason` has it. */
  readonly reason: string;
  /** As it was sent, if it was. */
  readonly status: number | null;
  readonly usage: Usage | null;
  readonly reservation: Reservation | null;
  readonly capture: BodyCapture | null;
  /** `null` where nothing was looked for. */
  readonly loop: AttemptLoop | null;
  /** The log has its line of this request. */
  readonly isTold: boolean;
  /** On the monotonic clock. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

type Books = Pick<GatewayParts, 'clock' | 'metrics' | 'requestLog' | 'failureLog'>;

/** Puts a request into all books: its key's limits, the log, the metrics, the request log, the bodies that are kept. */
export function accountExchange(books: Books, ended: EndedExchange): void {
  const { loop, outcome, usage, role, reservation, context } = ended;
  const attempts = loop?.attempts ?? 0;
  const target = loop?.target ?? '';
  const settlement = settleUse(outcome, attempts, usage);
  if (settlement.kind === 'giveBack') reservation?.giveBack();
  else reservation?.settle(settlement.usedTokens);
  const totalMs = ended.endedAtMs - ended.startedAtMs;
  if (!ended.isTold) {
    books.failureLog.requestOver(
      { requestId: context.requestId, role, target, outcome, attempts, durationMs: Math.round(totalMs) },
      loop?.failedAttempts ?? [],
    );
  }
  const ttftMs = ended.stream ? (loop?.attempt?.firstByteMs ?? null) : null;
  books.metrics.openRequests--;
  books.metrics.requestFinished({
    role,
    target,
    outcome,
    attempts,
    durationSeconds: totalMs / 1000,
    ttftSeconds: ttftMs === null ? null : ttftMs / 1000,
    promptTokens: usage?.promptTokens ?? null,
    completionTokens: usage?.completionTokens ?? null,
    cachedTokens: usage?.cachedTokens ?? null,
  });
  const endedAtMs = books.clock.nowMs();
  ended.capture?.ended(endedAtMs);
  const { endpoint, stream, status, reason } = ended;
  books.requestLog.append(
    recordOf({
      ...{ endedAtMs, context, role, endpoint, stream, outcome, status, reason },
      ...{ usage, ttftMs, totalMs, loop },
    }),
  );
}
