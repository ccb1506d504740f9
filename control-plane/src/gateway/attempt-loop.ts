import type { WakeFlight } from '../live/host-power.js';
import type {
  ChosenDecision,
  Claim,
  Considered,
  OtherTargets,
  RouteDecision,
  RouteRequest,
  WaitDecision,
  WakePermit,
} from '../router/route-types.js';
import { NO_TARGET } from './answer-now.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import { type RequestBody, SpooledBody } from './body/spooled-body.js';
import type { AttemptFailure } from './decide/attempt-failure.js';
import { withOutlook } from './decide/describe-outlook.js';
import {
  describeFailures,
  describeRefusal,
  type Refusal,
  withWakeRefusal,
} from './decide/describe-refusal.js';
import { gatewayError } from './decide/error-table.js';
import type { NormalisedError } from './decide/normalise-engine-error.js';
import { applySplices, planRewrite } from './decide/rewrite-body.js';
import type { FailedAttempt } from './failure-log.js';
import { GATEWAY_LIMITS } from './gateway-limits.js';
import type { GatewayParts } from './gateway-parts.js';
import { type LoopRequest, taskFor, timeoutsOf } from './loop-request.js';
import { Patience, type PatienceOwner } from './patience.js';
import { nameOf, planCall } from './plan-call.js';
import { TriedTargets } from './tried-targets.js';
import { openCall } from './upstream/open-call.js';
import type { CallTimeouts } from './upstream/upstream-call.js';
import { WakeWait } from './wake-wait.js';

export interface LoopOwner extends AttemptOwner {
  /** No target is left, or it was tried often enough. */
  onRefused(refusal: Refusal): void;
  /** A held stream has been silent for long. */
  onSilence(text: string): void;
  /** No larger target is left for what an engine found too long: its own answer is the client's. */
  onTooLong(error: NormalisedError): void;
}

/** A look for a target, and what came of it. */
interface LookedAt {
  readonly reason: string;
  readonly considered: readonly Considered[];
  readonly others?: readonly OtherTargets[];
  failure: string | null;
}

function lookedAt(reason: string, { considered, others }: Pick<LookedAt, 'considered' | 'others'>): LookedAt {
  return others === undefined
    ? { reason, considered, failure: null }
    : { reason, considered, others, failure: null };
}

/** Select, claim, ask; where that fails before a byte was forwarded, release, exclude, and go round again. */
export class AttemptLoop implements PatienceOwner {
  /** What the answer's headers tell. */
  host = NO_TARGET;
  replica = NO_TARGET;
  target = '';
  attempts = 0;
  /** Our own share of the time: from the moment something could be asked to the asking. */
  overheadMs = 0;
  attempt: Attempt | null = null;
  /** Each look for a target, and what came of it: why here, and why not there. */
  readonly rounds: LookedAt[] = [];
  /** In their order, for the log. */
  readonly failedAttempts: FailedAttempt[] = [];
  readonly #parts: GatewayParts;
  readonly #request: LoopRequest;
  readonly #owner: LoopOwner;
  readonly #timeouts: CallTimeouts;
  readonly #tried: TriedTargets;
  #failedTargets = '';
  #patience: Patience | null = null;
  /** What it asked of the fleet. */
  #wake: WakeWait | null = null;
  /** What the last engine said that found it too long. */
  #tooLong: NormalisedError | null = null;
  #reason = '';
  #body: RequestBody | null;
  #readyAtMs: number;

  constructor(
    parts: GatewayParts,
    request: LoopRequest,
    owner: LoopOwner,
    body: RequestBody,
    readyAtMs: number,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#owner = owner;
    this.#body = body;
    this.#readyAtMs = readyAtMs;
    this.#timeouts = timeoutsOf(request, readyAtMs);
    this.#tried = new TriedTargets(parts.router);
  }

  /** The choice, and the targets that failed before it: `least_cost; armitage-chat=connect_refused`. */
  get reason(): string {
    return this.#reason + this.#failedTargets;
  }

  /** What it waited in the queue. */
  get queueMs(): number {
    return this.#patience?.heldMs ?? 0;
  }

  get isHeld(): boolean {
    return this.#patience?.isHeld === true;
  }

  /** Asks the next target, waits for one, or tells the owner that there is none. */
  next(): void {
    const mayWait = this.#request.mayWait && this.#patience?.isOver !== true;
    const wait = this.#look(mayWait);
    if (wait === null) return;
    this.#patience ??= this.#patienceFor(wait);
    this.#note(wait);
    if (!this.#patience.begin(wait)) this.#look(false);
  }

  /** Something has changed for a request that is held. */
  lookAgain(): WaitDecision | null {
    this.#tried.readmit(this.#parts.clock.monotonicMs());
    const wait = this.#look(true);
    if (wait !== null) this.#note(wait);
    return wait;
  }

  /** It is held no more: the cloud, where the role has it, or a refusal. */
  waitIsOver(): void {
    this.#tried.readmit(this.#parts.clock.monotonicMs());
    this.#readyAtMs = this.#parts.clock.monotonicMs();
    this.#look(false);
  }

  /** The request is over. A place in the queue is given up. */
  leaveQueue(): void {
    this.#patience?.end('left');
    this.#wake?.leave();
  }

  flight(): WakeFlight | null {
    return this.#wake?.flight ?? null;
  }

  onSilence(text: string): void {
    this.#owner.onSilence(text);
  }

  /** Selects, claims and asks; or refuses. @returns what there is to wait for, where that may be done */
  #look(mayWait: boolean): WaitDecision | null {
    for (let lost = 0; lost <= GATEWAY_LIMITS.maxLostClaims; lost++) {
      const asked = this.#routeRequest(mayWait);
      const decision = this.#parts.router.select(asked);
      if (decision.kind === 'wait') return decision;
      if (decision.kind === 'wakeThenWait') {
        if (this.#wakeWait().ask(decision, true)) return decision;
        continue;
      }
      if (decision.kind === 'refuse') {
        const { wake, wakeWithinMs = 0 } = decision;
        if (wake !== undefined && !this.#wakeWait().ask({ wake, wakeWithinMs }, false)) continue;
        this.#patience?.end('refused');
        this.rounds.push(lookedAt(decision.code, decision));
        if (decision.code === 'context_too_long' && this.#tooLong !== null) {
          this.#owner.onTooLong(this.#tooLong);
          return null;
        }
        this.#owner.onRefused(this.#refusalOf(decision));
        return null;
      }
      const claim = this.#parts.router.claim(decision, asked);
      if (claim !== null) {
        this.#endWait(decision);
        if (decision.kind === 'cloudWhileWaking') this.#wakeWait().ask(decision, false);
        this.#ask(decision, claim);
        return null;
      }
    }
    this.#patience?.end('refused');
    const message = `Everything that serves "${this.#request.peeked.model}" was taken while it was chosen.`;
    this.#owner.onRefused({
      error: gatewayError('no_capacity', message),
      retryAfterSeconds: 1,
      reason: 'no_capacity',
    });
    return null;
  }

  /** Where its `ask` says no, it is to be decided again. */
  #wakeWait(): WakeWait {
    this.#wake ??= new WakeWait(this.#parts, this.#request);
    return this.#wake;
  }

  /** As far as it was asked, the fleet may have said no. */
  #wakePermit(): WakePermit {
    if (this.#wake === null) return this.#request.wakes;
    if (this.#wake.refusal !== null) return 'in_vain';
    return this.#wake.isNoOther ? 'no_other' : this.#request.wakes;
  }

  #refusalOf(decision: Extract<RouteDecision, { kind: 'refuse' }>): Refusal {
    const { model } = this.#request.peeked;
    const held = this.#patience?.outlook ?? null;
    const retryAfterSeconds = held?.retryAfterSeconds ?? decision.retryAfterSeconds;
    const told = withWakeRefusal(decision, this.#wake?.refusal ?? null);
    const refusal = describeRefusal(model, { ...told, retryAfterSeconds }, this.failedAttempts);
    const outlook = held ?? decision.outlook ?? null;
    return outlook === null ? refusal : withOutlook(refusal, outlook, held !== null);
  }

  #routeRequest(mayWait: boolean): RouteRequest {
    const { resolved, endpoint, peeked, affinity, keyId, mayCloud, localOnly, onlyTarget } = this.#request;
    const { requestClass, maxWaitMs } = this.#request;
    const { estimatedPromptTokens, maxTokens, promptBytes, stream, choices, needs } = peeked;
    return {
      resolved,
      task: taskFor(endpoint, resolved),
      endpoint: endpoint.name,
      estimatedPromptTokens,
      maxTokens,
      excluded: this.#tried.excluded,
      foundTooLongBy: this.#tried.foundTooLongBy,
      mayCloud,
      localOnly,
      needs,
      onlyTarget,
      waitedMs: this.queueMs,
      mayWait,
      wakes: this.#wakePermit(),
      requestClass,
      maxWaitMs,
      hints: { key: keyId, promptBytes, streams: stream, choices, ...affinity },
    };
  }

  #patienceFor(wait: WaitDecision): Patience {
    const { keyId, role, requestClass, peeked } = this.#request;
    const { totalAtMs } = this.#timeouts;
    const nowMs = this.#parts.clock.monotonicMs();
    const about = {
      key: keyId,
      role,
      requestClass,
      bytes: this.#body instanceof SpooledBody ? 0 : (this.#body?.length ?? 0),
      stream: peeked.stream,
      nowMs,
      totalAtMs,
    };
    return new Patience(this.#parts, this, about, wait);
  }

  #endWait(decision: ChosenDecision): void {
    if (this.#patience?.isHeld !== true) return;
    this.#patience.end(decision.kind === 'send' ? 'served' : 'cloud');
    this.#wake?.leave();
    this.#readyAtMs = this.#parts.clock.monotonicMs();
  }

  /** For the log: each thing that was waited for, once. Until prompts are read everybody waits; the queue's time tells it. */
  #note(wait: WaitDecision): void {
    if (wait.reason === 'paced') return;
    const { requestClass } = this.#request;
    const reason = `held_${wait.reason}${requestClass === 'normal' ? '' : `_${requestClass}`}`;
    if (this.rounds.at(-1)?.reason === reason || this.rounds.length >= GATEWAY_LIMITS.notedRounds) return;
    this.rounds.push(lookedAt(reason, wait));
  }

  /** The attempt under way came to nothing, and has released its claim. */
  failed(failure: AttemptFailure): void {
    const { target } = this;
    this.#readyAtMs = this.#parts.clock.monotonicMs();
    this.#noteFailed(failure.code);
    this.#tried.failed(target, failure, this.#readyAtMs);
    this.#parts.metrics.attemptFailed(target, failure.code);
    this.failedAttempts.push({ target, failure });
    if (this.#isEnough()) {
      this.#owner.onRefused(describeFailures(this.#request.peeked.model, this.#tried.failures, null));
    } else {
      this.next();
    }
  }

  /** The engine asked last finds the request too long, which one with a larger context may not. */
  tooLong(error: NormalisedError): void {
    this.#readyAtMs = this.#parts.clock.monotonicMs();
    this.#tooLong = error;
    this.#tried.tooLong(this.target);
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

  #ask(chosen: ChosenDecision, claim: Claim): void {
    const { host, replica } = nameOf(chosen);
    this.host = host;
    this.replica = replica;
    this.target = claim.target;
    this.#reason = chosen.reason;
    this.rounds.push(lookedAt(chosen.reason, chosen));
    this.attempts++;
    const { endpoint, peeked, trace, formType, spokenHeaders } = this.#request;
    const attempt = new Attempt(claim, this.#owner, this.#parts.clock, chosen.kind !== 'send');
    this.attempt = attempt;
    const plan = planCall(
      this.#parts,
      chosen,
      endpoint,
      { stream: peeked.stream, formType, spokenHeaders },
      trace,
    );
    if ('code' in plan) {
      attempt.giveUp(plan);
      return;
    }
    const body = this.#body;
    if (body === null) throw new Error('a request was asked again after its answer had begun');
    const rewritten =
      body instanceof SpooledBody
        ? body.sourceFor(plan.servedModel)
        : applySplices(body, planRewrite(body, peeked, plan.servedModel), Buffer.allocUnsafe);
    const request = { path: plan.address.path, headers: plan.headers, body: rewritten };
    const { clock, deadlines } = this.#parts;
    const askedAtMs = clock.monotonicMs();
    this.overheadMs += askedAtMs - this.#readyAtMs;
    const terms = { timeouts: this.#timeouts, deadlines, clock, askedAtMs };
    attempt.ask((listener) => openCall(listener, plan.address, request, terms, this.#parts), askedAtMs);
  }

  #isEnough(): boolean {
    return this.#readyAtMs >= this.#timeouts.totalAtMs || this.#tried.isEnough(this.attempts);
  }
}
