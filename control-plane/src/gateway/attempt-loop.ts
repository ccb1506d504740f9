import type { ResolvedModel } from '../declared/declared-state.js';
import type { Claim, Considered } from '../router/route-types.js';
import { NO_TARGET } from './answer-now.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import type { AttemptFailure } from './decide/attempt-failure.js';
import { describeFailures, describeRefusal, type Refusal } from './decide/describe-refusal.js';
import { gatewayError } from './decide/error-table.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import type { NormalisedError } from './decide/normalise-engine-error.js';
import type { PeekedRequest } from './decide/peek-request.js';
import { applySplices, planRewrite } from './decide/rewrite-body.js';
import type { TraceContext } from './decide/upstream-headers.js';
import type { FailedAttempt } from './failure-log.js';
import { DIRECT_TIMEOUTS, GATEWAY_LIMITS } from './gateway-limits.js';
import type { GatewayParts } from './gateway-parts.js';
import { type Chosen, nameOf, planCall } from './plan-call.js';
import type { CallTimeouts } from './upstream/upstream-call.js';

export interface LoopOwner extends AttemptOwner {
  /** No target is left, or it was tried often enough. */
  onRefused(refusal: Refusal): void;
  /** No larger target is left for what an engine found too long: its own answer is the client's. */
  onTooLong(error: NormalisedError): void;
}

/** What is asked for. */
export interface LoopRequest {
  readonly requestId: string;
  readonly endpoint: EngineEndpoint;
  readonly peeked: PeekedRequest;
  readonly resolved: ResolvedModel;
  readonly mayCloud: boolean;
  readonly localOnly: boolean;
  readonly trace: TraceContext;
}

const NONE_EXCLUDED: ReadonlySet<string> = new Set();

/** Select, claim, ask; where that fails before a byte was forwarded, release, exclude, and go round again. */
export class AttemptLoop {
  /** What the answer's headers tell. */
  host = NO_TARGET;
  replica = NO_TARGET;
  target = '';
  attempts = 0;
  /** Our own share of the time: from the moment something could be asked to the asking. */
  overheadMs = 0;
  attempt: Attempt | null = null;
  /** Each look for a target, and what came of it: why here, and why not there. */
  readonly rounds: { reason: string; considered: readonly Considered[]; failure: string | null }[] = [];
  /** In their order, for the log. */
  readonly failedAttempts: FailedAttempt[] = [];
  readonly #parts: GatewayParts;
  readonly #request: LoopRequest;
  readonly #owner: LoopOwner;
  readonly #timeouts: CallTimeouts;
  readonly #failures: AttemptFailure[] = [];
  #failedTargets = '';
  #excluded: Set<string> | null = null;
  #foundTooLongBy: Set<string> | null = null;
  /** What the last of them said. */
  #tooLong: NormalisedError | null = null;
  #reason = '';
  #body: Buffer | null;
  #readyAtMs: number;

  constructor(parts: GatewayParts, request: LoopRequest, owner: LoopOwner, body: Buffer, readyAtMs: number) {
    this.#parts = parts;
    this.#request = request;
    this.#owner = owner;
    this.#body = body;
    this.#readyAtMs = readyAtMs;
    this.#timeouts = timeoutsOf(request, readyAtMs);
  }

  /** The choice, and the targets that failed before it: `least_load; armitage-chat=connect_refused`. */
  get reason(): string {
    return this.#reason + this.#failedTargets;
  }

  /** Asks the next target, or tells the owner that there is none. */
  next(): void {
    for (let lost = 0; lost <= GATEWAY_LIMITS.maxLostClaims; lost++) {
      const decision = this.#parts.router.select({
        resolved: this.#request.resolved,
        task: this.#request.endpoint.task,
        estimatedPromptTokens: this.#request.peeked.estimatedPromptTokens,
        maxTokens: this.#request.peeked.maxTokens,
        excluded: this.#excluded ?? NONE_EXCLUDED,
        foundTooLongBy: this.#foundTooLongBy ?? NONE_EXCLUDED,
        mayCloud: this.#request.mayCloud,
        localOnly: this.#request.localOnly,
      });
      if (decision.kind === 'refuse') {
        this.rounds.push({ reason: decision.code, considered: decision.considered, failure: null });
        if (decision.code === 'context_too_long' && this.#tooLong !== null) {
          this.#owner.onTooLong(this.#tooLong);
          return;
        }
        this.#owner.onRefused(describeRefusal(this.#request.peeked.model, decision, this.failedAttempts));
        return;
      }
      const claim = this.#parts.router.claim(decision);
      if (claim !== null) {
        this.#ask(decision, claim);
        return;
      }
    }
    const message = `Everything that serves "${this.#request.peeked.model}" was taken while it was chosen.`;
    this.#owner.onRefused({
      error: gatewayError('no_capacity', message),
      retryAfterSeconds: 1,
      reason: 'no_capacity',
    });
  }

  /** The attempt under way came to nothing, and has released its claim. */
  failed(failure: AttemptFailure): void {
    const { target } = this;
    this.#readyAtMs = this.#parts.clock.monotonicMs();
    this.#failures.push(failure);
    this.#noteFailed(failure.code);
    this.#excluded ??= new Set();
    this.#excluded.add(target);
    this.#parts.metrics.attemptFailed(target, failure.code);
    this.failedAttempts.push({ target, failure });
    if (this.#isEnough()) {
      this.#owner.onRefused(describeFailures(this.#request.peeked.model, this.#failures, null));
    } else {
      this.next();
    }
  }

  /** The engine asked last finds the request too long, which one with a larger context may not. */
  tooLong(error: NormalisedError): void {
    this.#readyAtMs = this.#parts.clock.monotonicMs();
    this.#tooLong = error;
    this.#foundTooLongBy ??= new Set();
    this.#foundTooLongBy.add(this.target);
    this.#noteFailed('context_too_long');
    if (this.#isEnough()) this.#owner.onTooLong(error);
    else this.next();
  }

  /** The answer's head is sent: the body will not be needed again. */
  dropBody(): void {
    this.#body = null;
  }

  #noteFailed(code: string): void {
    const round = this.rounds.at(-1);
    if (round !== undefined) round.failure = code;
    this.#failedTargets += `${this.#failedTargets === '' ? '; ' : ', '}${this.target}=${code}`;
  }

  #ask(chosen: Chosen, claim: Claim): void {
    const { host, replica } = nameOf(chosen);
    this.host = host;
    this.replica = replica;
    this.target = claim.target;
    this.#reason = chosen.reason;
    this.rounds.push({ reason: chosen.reason, considered: chosen.considered, failure: null });
    this.attempts++;
    const { endpoint, peeked, trace } = this.#request;
    const attempt = new Attempt(claim, this.#owner, this.#parts.clock);
    this.attempt = attempt;
    const plan = planCall(this.#parts, chosen, endpoint, peeked.stream, trace);
    if ('code' in plan) {
      attempt.giveUp(plan);
      return;
    }
    const body = this.#body;
    if (body === null) throw new Error('a request was asked again after its answer had begun');
    const rewritten = applySplices(body, planRewrite(body, peeked, plan.servedModel), Buffer.allocUnsafe);
    const request = { path: plan.address.path, headers: plan.headers, body: rewritten };
    const pool = this.#parts.pools.get(plan.address.origin);
    const askedAtMs = this.#parts.clock.monotonicMs();
    this.overheadMs += askedAtMs - this.#readyAtMs;
    attempt.ask(request, this.#timeouts, pool, this.#parts.deadlines, askedAtMs);
  }

  #isEnough(): boolean {
    if (this.attempts >= GATEWAY_LIMITS.maxAttempts) return true;
    if (this.#readyAtMs >= this.#timeouts.totalAtMs) return true;
    const internal = this.#failures.filter((failure) => failure.code === 'status_500').length;
    return internal >= GATEWAY_LIMITS.maxInternalErrors;
  }
}

function timeoutsOf({ resolved, peeked }: LoopRequest, nowMs: number): CallTimeouts {
  const declared = resolved.kind === 'role' ? resolved.role : DIRECT_TIMEOUTS;
  const writingMs = peeked.stream ? 0 : (peeked.maxTokens ?? 0) * GATEWAY_LIMITS.perTokenMs;
  return {
    firstByteMs: declared.firstByteTimeoutSeconds * 1000 + writingMs,
    idleMs: declared.idleTimeoutSeconds * 1000,
    totalAtMs: nowMs + declared.totalTimeoutSeconds * 1000,
    pausedMs: GATEWAY_LIMITS.clientStallMs,
  };
}
