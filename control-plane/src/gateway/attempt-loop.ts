import type { Task } from '@ai-fabric/shared';
import type { ResolvedModel } from '../declared/declared-state.js';
import type { RequestClass } from '../declared/request-class.js';
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
import { type AttemptFailure, isBusy } from './decide/attempt-failure.js';
import { withOutlook } from './decide/describe-outlook.js';
import {
  describeFailures,
  describeRefusal,
  type Refusal,
  withWakeRefusal,
} from './decide/describe-refusal.js';
import { gatewayError } from './decide/error-table.js';
import type { EngineEndpoint } from './decide/match-endpoint.js';
import type { NormalisedError } from './decide/normalise-engine-error.js';
import type { PeekedRequest } from './decide/peek-request.js';
import { applySplices, planRewrite } from './decide/rewrite-body.js';
import type { SpokenRequest, TraceContext } from './decide/upstream-headers.js';
import type { FailedAttempt } from './failure-log.js';
import { DIRECT_TIMEOUTS, GATEWAY_LIMITS } from './gateway-limits.js';
import type { GatewayParts } from './gateway-parts.js';
import { Patience, type PatienceOwner } from './patience.js';
import { nameOf, planCall } from './plan-call.js';
import type { AffinityHints } from './read-affinity.js';
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

/** What is asked for. */
export interface LoopRequest {
  readonly requestId: string;
  readonly keyId: string;
  /** What is asked for, by its declared name. */
  readonly role: string;
  readonly endpoint: EngineEndpoint;
  readonly peeked: PeekedRequest;
  readonly affinity: AffinityHints;
  readonly resolved: ResolvedModel;
  readonly mayCloud: boolean;
  readonly localOnly: boolean;
  /** The one target that the client asks for; `null`: any. */
  readonly onlyTarget: string | null;
  /** It may be held where nobody can take it now. */
  readonly mayWait: boolean;
  readonly wakes: WakePermit;
  readonly formType: SpokenRequest['formType'];
  readonly spokenHeaders: SpokenRequest['spokenHeaders'];
  readonly requestClass: RequestClass;
  /** What its client allows it to be held; `null`: as is declared. */
  readonly maxWaitMs: number | null;
  readonly trace: TraceContext;
}

interface TriedTarget {
  /** As many as there had been when it failed. */
  readonly comebacks: number;
  readonly failedAtMs: number;
  readonly wasFull: boolean;
  /** Times that it broke with this request in hand: the request may be what breaks it. */
  readonly breaks: number;
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

const NONE_EXCLUDED: ReadonlySet<string> = new Set();

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
  readonly #failures: AttemptFailure[] = [];
  #failedTargets = '';
  #excluded: Set<string> | null = null;
  /** What came of asking each target, for when it comes back. */
  #tried: Map<string, TriedTarget> | null = null;
  #patience: Patience | null = null;
  /** What it asked of the fleet. */
  #wake: WakeWait | null = null;
  /** Attempts that met a full engine before the last wait: they do not count against it. */
  #forgiven = 0;
  #foundTooLongBy: Set<string> | null = null;
  /** What the last of them said. */
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
    this.#readmit();
    const wait = this.#look(true);
    if (wait !== null) this.#note(wait);
    return wait;
  }

  /** It is held no more: the cloud, where the role has it, or a refusal. */
  waitIsOver(): void {
    this.#readmit();
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
        if (this.#askToWake(decision.wake, true)) return decision;
        continue;
      }
      if (decision.kind === 'refuse') {
        if (decision.wake !== undefined && !this.#askToWake(decision.wake, false)) continue;
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
        if (decision.kind === 'cloudWhileWaking') this.#askToWake(decision.wake, false);
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

  /** @returns false where the fleet wakes none: then it is to be decided again */
  #askToWake(deployments: readonly string[], isHeld: boolean): boolean {
    this.#wake ??= new WakeWait(this.#parts, this.#request);
    return this.#wake.ask(deployments, isHeld);
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
    const { requestClass, maxWaitMs, wakes } = this.#request;
    const { estimatedPromptTokens, maxTokens, promptBytes, stream, choices, needs } = peeked;
    return {
      resolved,
      task: taskFor(endpoint, resolved),
      endpoint: endpoint.name,
      estimatedPromptTokens,
      maxTokens,
      excluded: this.#excluded ?? NONE_EXCLUDED,
      foundTooLongBy: this.#foundTooLongBy ?? NONE_EXCLUDED,
      mayCloud,
      localOnly,
      needs,
      onlyTarget,
      waitedMs: this.queueMs,
      mayWait,
      wakes: this.#wake?.refusal == null ? wakes : 'in_vain',
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

  /** Targets that were merely full, or that have come back or had time to since they failed, may be asked again. */
  #readmit(): void {
    this.#forgiven = this.#failures.filter(isBusy).length;
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [target, tried] of this.#tried ?? []) {
      const isBack =
        this.#parts.router.comebacks(target) > tried.comebacks ||
        nowMs - tried.failedAtMs >= GATEWAY_LIMITS.retryFailedMs;
      if (tried.wasFull || (isBack && tried.breaks <= GATEWAY_LIMITS.maxBreaks))
        this.#excluded?.delete(target);
    }
  }

  #noteTried(target: string, failure: AttemptFailure): void {
    this.#tried ??= new Map();
    // An engine that was never reached was not broken by this request.
    const broke = isBusy(failure) || failure.code === 'connect_refused' ? 0 : 1;
    this.#tried.set(target, {
      comebacks: this.#parts.router.comebacks(target),
      failedAtMs: this.#readyAtMs,
      wasFull: isBusy(failure),
      breaks: (this.#tried.get(target)?.breaks ?? 0) + broke,
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
    this.#noteTried(target, failure);
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
    if (this.attempts - this.#forgiven >= GATEWAY_LIMITS.maxAttempts) return true;
    if (this.#readyAtMs >= this.#timeouts.totalAtMs) return true;
    const internal = this.#failures.filter((failure) => failure.code === 'status_500').length;
    return internal >= GATEWAY_LIMITS.maxInternalErrors;
  }
}

/** Of the tasks that an endpoint has, that of what was asked for; where it has another, the usual one. */
function taskFor({ tasks }: EngineEndpoint, resolved: ResolvedModel): Task {
  const { task } = resolved.kind === 'role' ? resolved.role : resolvedTarget(resolved);
  return tasks.includes(task) ? task : tasks[0];
}

function resolvedTarget(resolved: Exclude<ResolvedModel, { kind: 'role' }>): { readonly task: Task } {
  return resolved.kind === 'deployment' ? resolved.deployment : resolved.model;
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
