import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type {
  DeclaredDeployment,
  DeclaredSource,
  DeclaredState,
  ResolvedModel,
} from '../declared/declared-state.js';
import type { LiveChange, LiveView } from '../live/live-view.js';
import { Breaker } from './breaker.js';
import type { CandidateGroup } from './candidate.js';
import type { CloudTarget, SecretPresence } from './cloud-target.js';
import { type CostTerms, promptTokensOf } from './decide/choose-replica.js';
import { describeModel } from './decide/describe-model.js';
import { route } from './decide/route.js';
import { suggestModels } from './decide/suggest-models.js';
import { RequestQueue } from './hold-queue.js';
import { type ClaimObserver, Ledger } from './ledger.js';
import type { LiveReplicaTarget, Moment } from './live-replica-target.js';
import { type CatalogueEntry, modelCatalogue, taskOf } from './model-catalogue.js';
import { type EngineFacts, guessRates } from './predict/decide/guess-rates.js';
import { Predictor } from './predict/predictor.js';
import type { ReplicaModel, Work } from './predict/replica-model.js';
import { Cooldown, ProviderLimits } from './provider-limits.js';
import { type Rank, rankOf } from './queue/class-turns.js';
import { etaSeconds } from './queue/decide/plan-eta.js';
import { watchReady } from './ready-watch.js';
import type {
  AttemptOutcome,
  Claim,
  HeldRequest,
  HoldTicket,
  ListedModel,
  RouteDecision,
  RouteRequest,
  Router,
  RouterGauges,
  TargetGauge,
  WaitDecision,
} from './route-types.js';
import { defaultRouterSettings, type RouterSettings } from './router-settings.js';
import { TargetBoard } from './target-board.js';

export interface RouterDeps {
  readonly declared: DeclaredSource;
  readonly live: LiveView;
  readonly secrets: SecretPresence;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings?: RouterSettings;
  /** Runs something as soon as the caller's stack is done; a microtask unless a simulation keeps its own time. */
  readonly defer?: (run: () => void) => void;
}

/** A router with what the program around it needs beside routing. */
export interface RunningRouter extends Router {
  /** Numbers for `/metrics`. */
  gauges(): RouterGauges;
  /** Ends subscriptions and timers. Open claims may still be released. */
  close(): void;
}

/** See DESIGN.md beside this file. */
export function createRouter(deps: RouterDeps): RunningRouter {
  return new LiveRouter(deps);
}

/** Listings ask "what if" with it: always the same answer, and no request's luck is used up. */
const NO_CHANCE: Random = () => 0;
const NOTHING_TRIED: ReadonlySet<string> = new Set();
/** A claim is one attempt, and no attempt outlasts its request: twice that is certainly lost. */
const DEADLINE_FACTOR = 2;

type Chosen = Extract<RouteDecision, { kind: 'send' | 'cloud' }>;
type Refused = Extract<RouteDecision, { kind: 'refuse' }>;

/** Where a claim is taken. */
interface Place {
  readonly target: string;
  /** `null`: unbounded. */
  readonly slots: number | null;
  readonly breaker: Breaker;
  readonly observer: ClaimObserver;
  /** `null`: a provider's. */
  readonly replica: LiveReplicaTarget | null;
  /** `null`: a replica's. */
  readonly cloud: CloudTarget | null;
}

class LiveRouter implements RunningRouter {
  readonly #deps: RouterDeps;
  readonly #settings: RouterSettings;
  readonly #ledger: Ledger;
  readonly #board: TargetBoard;
  readonly #queue: RequestQueue;
  readonly #predictor: Predictor;
  /** One for each target, made with its first claim and kept until the declaration changes. */
  readonly #observers = new Map<string, ClaimObserver>();
  readonly #subscriptions: (() => void)[];
  #catalogue: ReadonlyMap<string, CatalogueEntry> = new Map();

  constructor(deps: RouterDeps) {
    const { clock, random, log, live, secrets, declared } = deps;
    this.#deps = deps;
    this.#settings = deps.settings ?? defaultRouterSettings;
    const settings = this.#settings;
    const ledger = new Ledger({ clock, log, settings: settings.ledger });
    const breakerFor = (target: string): Breaker =>
      new Breaker(target, { clock, random, log, settings: settings.breaker });
    this.#ledger = ledger;
    const defer = deps.defer ?? queueMicrotask;
    const etaMs = (ahead: number, waitsFor: readonly string[]) => this.#etaMs(ahead, waitsFor);
    this.#queue = new RequestQueue({ clock, random, bounds: settings.hold, defer, etaMs });
    const predictor = new Predictor(settings.route.predict);
    this.#predictor = predictor;
    const modelFor = (deployment: DeclaredDeployment): ReplicaModel =>
      predictor.modelFor(engineFacts(deployment, live), deployment.maxConcurrent);
    const limitDeps = { clock, random, log, settings: settings.limits };
    const cooldownFor = (provider: string): Cooldown => new Cooldown(provider, limitDeps);
    const limitsFor = (target: string, shared: Cooldown): ProviderLimits =>
      new ProviderLimits(target, shared, limitDeps);
    const makers = { breakerFor, cooldownFor, limitsFor, modelFor };
    this.#board = new TargetBoard({ live, secrets, ledger, ...makers, settings });
    this.#takeDeclared(declared.current());
    this.#subscriptions = [
      declared.onChange((state) => this.#takeDeclared(state)),
      watchReady(live, (deployment, wasDown) => this.#readyAgain(deployment, wasDown)),
      // Behind the watch above: who looks again finds a breaker that knows of it.
      live.onChange((change) => this.#noticeChange(change)),
    ];
  }

  select(request: RouteRequest): RouteDecision {
    const groups = this.#board.candidates(request.resolved, this.#now());
    const decision = route(request, groups, this.#termsOf(request), this.#deps.random, this.#settings.route);
    return decision.kind === 'refuse' ? this.#withOutlook(decision, request) : decision;
  }

  claim(decision: Chosen, request: RouteRequest): Claim | null {
    const place = this.#placeOf(decision);
    if (place === null) return null;
    const { target, slots, breaker, observer, replica, cloud } = place;
    if (slots !== null && this.#ledger.account(target).inflight >= slots) return null;
    const nowMs = this.#deps.clock.monotonicMs();
    if (breaker.busyForMs(nowMs) > 0 || (cloud !== null && cloud.limits.restForMs(nowMs) > 0)) return null;
    // Asked last: a probe that was admitted and then not taken would keep the next one out.
    const admission = breaker.admit();
    if (admission === 'refused') return null;
    const claim = this.#ledger.claim(target, slots, admission === 'probe', observer);
    if (claim === null) return null;
    claim.work = this.#workOf(replica, request);
    if (cloud !== null) claim.sent = cloud.limits.sent(request.estimatedPromptTokens ?? 0);
    this.#queue.wasServed(nameOf(request.resolved));
    return claim;
  }

  hold(held: HeldRequest, wait: WaitDecision): HoldTicket | null {
    return this.#queue.join(held, wait);
  }

  comebacks(target: string): number {
    return this.#board.replica(target)?.comebacks ?? 0;
  }

  resolve(model: string): ResolvedModel | undefined {
    return this.#catalogue.get(model)?.resolved;
  }

  nearestNames(model: string): readonly string[] {
    return suggestModels(model, this.#catalogue.keys());
  }

  listModels(): readonly ListedModel[] {
    const now = this.#now();
    return Array.from(this.#catalogue.values(), (entry) => this.#listed(entry, now));
  }

  gauges(): RouterGauges {
    const now = this.#now();
    const targets: TargetGauge[] = [];
    for (const replica of this.#board.replicas()) {
      replica.refresh(now);
      const slots = replica.deployment.maxConcurrent;
      const externalLoad = replica.knownExternalLoad;
      const breaker = replica.breaker.phase;
      const { drift, backlogTokens, kvCapacityTokens } = replica.load;
      const pace = { ...replica.rates, drift, backlogTokens, kvCapacityTokens };
      targets.push({
        ...this.#counts(replica.target),
        kind: 'deployment',
        slots,
        externalLoad,
        pace,
        breaker,
      });
    }
    const unbounded = { slots: null, externalLoad: null, pace: null };
    for (const { target, breaker } of this.#board.clouds()) {
      targets.push({ ...this.#counts(target), ...unbounded, kind: 'provider', breaker: breaker.phase });
    }
    for (const { target } of this.#ledger.accounts()) {
      if (this.#board.has(target)) continue;
      const kind = target.includes('/') ? 'provider' : 'deployment';
      targets.push({ ...this.#counts(target), ...unbounded, kind, breaker: 'closed' });
    }
    const { reapedTotal } = this.#ledger;
    const { displacedTotal } = this.#queue;
    return { targets, reapedClaimsTotal: reapedTotal, held: this.#queue.gauges(), displacedTotal };
  }

  close(): void {
    for (const end of this.#subscriptions.splice(0)) end();
    this.#queue.close();
    this.#ledger.close();
  }

  #termsOf(request: RouteRequest): CostTerms {
    const { task, mayWait, resolved, waitedMs = 0 } = request;
    const rank = rankOfRequest(request);
    return {
      answerTokens: this.#answerTokensOf(request),
      weights: resolved.kind === 'role' ? resolved.role.weights : this.#settings.route.predict.weights,
      mayPace: task === 'chat',
      isBehind: mayWait === true && this.#queue.isBehind(nameOf(resolved), rank),
      // One that waits already has what is before it in its own waiting.
      ahead: waitedMs > 0 ? 0 : this.#queue.aheadOf(nameOf(resolved), rank),
    };
  }

  /** Where all is full, a refusal tells how it would stand in the queue. */
  #withOutlook(decision: Refused, request: RouteRequest): Refused {
    if (decision.code !== 'no_capacity') return decision;
    const full = decision.considered.filter(({ verdict }) => verdict === 'full').map(({ target }) => target);
    const asker = {
      role: nameOf(request.resolved),
      key: request.hints?.key ?? '',
      rank: rankOfRequest(request),
    };
    const outlook = this.#queue.outlookFor(asker, full);
    return {
      ...decision,
      outlook,
      retryAfterSeconds: outlook.retryAfterSeconds ?? decision.retryAfterSeconds,
    };
  }

  #etaMs(ahead: number, waitsFor: readonly string[]): number | null {
    const now = this.#now();
    const targets = waitsFor.flatMap((target) => {
      const replica = this.#board.replica(target);
      replica?.refresh(now);
      // Of one that serves nobody now, what is known is of no use.
      if (replica?.phase !== 'ready' || !isThere(replica)) return [];
      const { slots, meanHoldMs, model } = replica;
      const nextFreeSeconds = model.nextFreeSeconds(now.monotonicMs);
      return { slots, nextFreeSeconds, meanHoldSeconds: meanHoldMs === null ? null : meanHoldMs / 1000 };
    });
    const seconds = etaSeconds(ahead, targets);
    return seconds === null ? null : Math.round(seconds * 1000);
  }

  #answerTokensOf({ task, resolved, maxTokens = null, hints }: RouteRequest): number {
    if (task !== 'chat') return 0;
    const each = this.#predictor.lengths.expect(nameOf(resolved), hints?.key ?? '', maxTokens);
    return each * (hints?.choices ?? 1);
  }

  #workOf(replica: LiveReplicaTarget | null, request: RouteRequest): Work {
    const { key = '', promptBytes = null, streams = false, choices = 1 } = request.hints ?? {};
    const asker = { role: nameOf(request.resolved), key, choices };
    if (replica === null) return this.#predictor.sentAway(asker);
    const { model } = replica;
    const promptTokens = promptTokensOf(request, model.bytesPerToken, this.#settings.route.predict);
    const size = { promptTokens, cachedTokens: 0, answerTokens: this.#answerTokensOf(request) };
    const nowMs = this.#deps.clock.monotonicMs();
    return this.#predictor.sent(model, size, { promptBytes, streams, choices }, asker, nowMs);
  }

  #listed({ id, kind, resolved }: CatalogueEntry, now: Moment): ListedModel {
    // What its role asks of a request, a listing cannot know.
    const groups = this.#board.candidates(resolved, now).map(unconditional);
    const task = taskOf(resolved);
    const request = { resolved, task, estimatedPromptTokens: null, excluded: NOTHING_TRIED, mayCloud: true };
    const decision = route(request, groups, this.#termsOf(request), NO_CHANCE, this.#settings.route);
    return { id, kind, task, ...describeModel(decision, groups) };
  }

  #counts(target: string): Pick<TargetGauge, 'target' | 'inflight' | 'reapedTotal'> {
    const { inflight, reapedTotal } = this.#ledger.account(target);
    return { target, inflight, reapedTotal };
  }

  /** `null` when the declaration that was decided on is no longer the one that holds: to be decided again. */
  #placeOf(decision: Chosen): Place | null {
    if (decision.kind === 'send') {
      const { deployment } = decision;
      const replica = this.#board.replica(deployment.name);
      if (replica?.deployment !== deployment) return null;
      const observer = this.#observerOf(replica.target, replica.breaker);
      const { target, breaker } = replica;
      return { target, slots: replica.slots, breaker, observer, replica, cloud: null };
    }
    const { provider, model } = decision;
    const cloud = this.#board.cloud(`${provider.name}/${model.name}`);
    if (cloud?.provider !== provider || cloud.model !== model) return null;
    const observer = this.#observerOf(cloud.target, cloud.breaker);
    const { target, breaker } = cloud;
    return { target, slots: null, breaker, observer, replica: null, cloud };
  }

  /** What a claim tells goes to the breaker, to the replica's own record, and to those who wait for its slot. */
  #observerOf(target: string, breaker: Breaker): ClaimObserver {
    const known = this.#observers.get(target);
    if (known !== undefined) return known;
    // The same engine may be declared anew while the claim is open: its record is then with its new target.
    const replicaNow = (): LiveReplicaTarget | undefined => {
      const replica = this.#board.replica(target);
      return replica?.breaker === breaker ? replica : undefined;
    };
    const observer: ClaimObserver = {
      answered: (isProbe) => {
        breaker.answered(isProbe);
        replicaNow()?.noticeSuccess();
        // A prompt is read: there is room for the next one.
        this.#queue.wake(target);
      },
      released: (isProbe, outcome) => {
        breaker.released(isProbe, outcome);
        const replica = replicaNow();
        if (replica !== undefined) noticeOutcome(replica, outcome, this.#deps.clock);
        this.#queue.wake(target);
      },
    };
    this.#observers.set(target, observer);
    return observer;
  }

  #readyAgain(deployment: string, wasDown: boolean): void {
    const replica = this.#board.replica(deployment);
    replica?.breaker.readyAgain();
    replica?.noticeReady();
    if (wasDown) replica?.startSlowly(this.#deps.clock.monotonicMs());
  }

  #noticeChange(change: LiveChange): void {
    if (change.kind === 'sample') return;
    const nowMs = this.#deps.clock.monotonicMs();
    if (change.kind === 'host') this.#guessAgain(change.host.name);
    if (change.kind === 'replica') this.#board.replica(change.replica.deployment)?.noticeChange(nowMs);
    else for (const replica of this.#board.replicas()) replica.noticeChange(nowMs);
    this.#queue.wake(null);
  }

  /** A host that joins tells what card it has. */
  #guessAgain(host: string): void {
    for (const { deployment, model } of this.#board.replicas()) {
      if (deployment.host !== host || model.observations > 0) continue;
      model.adoptPrior(guessRates(engineFacts(deployment, this.#deps.live)));
    }
  }

  #takeDeclared(state: DeclaredState): void {
    this.#catalogue = modelCatalogue(state);
    this.#board.rebuild(state);
    this.#observers.clear();
    this.#queue.wake(null);
    this.#ledger.retain((target) => this.#board.has(target));
    let longestSeconds = 0;
    for (const role of state.roles.values()) {
      longestSeconds = Math.max(longestSeconds, role.totalTimeoutSeconds);
    }
    this.#predictor.lengths.retain((name) => this.#catalogue.has(name));
    this.#ledger.setDeadline(longestSeconds * 1000 * DEADLINE_FACTOR);
  }

  #now(): Moment {
    const { clock } = this.#deps;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
  }
}

function nameOf(resolved: ResolvedModel): string {
  switch (resolved.kind) {
    case 'role':
      return resolved.role.name;
    case 'deployment':
      return resolved.deployment.name;
    case 'providerModel':
      return `${resolved.provider.name}/${resolved.model.name}`;
  }
}

function unconditional(group: CandidateGroup): CandidateGroup {
  return group.kind === 'replicas'
    ? { kind: 'replicas', candidates: group.candidates }
    : { kind: 'provider', candidate: group.candidate };
}

function isThere({ presence }: LiveReplicaTarget): boolean {
  return presence === 'online' || presence === 'late';
}

function rankOfRequest({ requestClass = 'normal' }: RouteRequest): Rank {
  return rankOf(requestClass);
}

function engineFacts(deployment: DeclaredDeployment, live: LiveView): EngineFacts {
  const gpu = live.host(deployment.host)?.inventory?.gpus[0];
  const model = deployment.engine === 'vllm' ? deployment.model : deployment.servedModel;
  return { card: gpu?.name ?? null, cardMemoryBytes: gpu?.vramTotalBytes ?? null, model };
}

function noticeOutcome(replica: LiveReplicaTarget, outcome: AttemptOutcome, clock: Clock): void {
  if (outcome.kind === 'failed' || outcome.kind === 'cut_off')
    replica.noticeEnd('failed', clock.monotonicMs());
  else if (outcome.kind === 'succeeded') replica.noticeEnd('succeeded', clock.monotonicMs());
}
