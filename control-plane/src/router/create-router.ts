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
import { ClaimObservers } from './claim-observers.js';
import type { CloudTarget, SecretPresence } from './cloud-target.js';
import type { CostTerms } from './decide/choose-replica.js';
import { describeModel } from './decide/describe-model.js';
import { isUnheard } from './decide/judge-asleep.js';
import { askerOf, isUse, rankOfRequest } from './decide/read-asker.js';
import { route } from './decide/route.js';
import { suggestModels } from './decide/suggest-models.js';
import { writesAnswer } from './decide/writes-answer.js';
import { engineFacts, nameOf } from './engine-facts.js';
import type { Moment } from './engine-gauges.js';
import type { RouterGauges } from './gauge-types.js';
import { RequestQueue } from './hold-queue.js';
import { HostUse, type UseOfHost } from './host-use.js';
import { LearnedRates } from './learned-rates.js';
import { type ClaimObserver, Ledger } from './ledger.js';
import type { LiveReplicaTarget } from './live-replica-target.js';
import { type CatalogueEntry, modelCatalogue, taskOf } from './model-catalogue.js';
import type { LearnedMemory } from './predict/learned-keeper.js';
import { Predictor } from './predict/predictor.js';
import type { ReplicaModel } from './predict/replica-model.js';
import { Cooldown, ProviderLimits } from './provider-limits.js';
import { etaSeconds } from './queue/decide/plan-eta.js';
import { readAnswers, readBegunRests, readGauges } from './read-gauges.js';
import { watchReady } from './ready-watch.js';
import { RequestMeasure } from './request-measure.js';
import type {
  ChosenDecision,
  Claim,
  HeldRequest,
  HoldTicket,
  LearnedOfEngine,
  ListedModel,
  RouteDecision,
  RouteRequest,
  Router,
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
  /** Left out, nothing outlives the router. */
  readonly learned?: LearnedMemory;
  /** Runs something as soon as the caller's stack is done; a microtask unless a simulation keeps its own time. */
  readonly defer?: (run: () => void) => void;
}

/** A router with what the program around it needs beside routing. */
export interface RunningRouter extends Router {
  /** What the answers of a deployment's engine have told; `null`: it is not declared. */
  learnedOf(deployment: string): LearnedOfEngine | null;
  /** Drops that, here and where it is kept. @returns false: it is not declared */
  forgetRates(deployment: string): boolean;
  /** Numbers for `/metrics`. */
  gauges(): RouterGauges;
  /** What requests do on a host, and since when none does. */
  useOf(host: string): UseOfHost;
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
  readonly #measure: RequestMeasure;
  readonly #learned: LearnedRates;
  readonly #observers: ClaimObservers;
  readonly #use = new HostUse();
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
    this.#learned = new LearnedRates({
      ...{ live, clock, log, memory: deps.learned ?? null, lengths: predictor.lengths },
      replicas: () => this.#board.replicas(),
    });
    const modelFor = (deployment: DeclaredDeployment): ReplicaModel => {
      const model = predictor.modelFor(engineFacts(deployment, live), deployment.maxConcurrent);
      this.#learned.prepare({ deployment, model });
      return model;
    };
    const limitDeps = { clock, random, log, settings: settings.limits };
    const cooldownFor = (provider: string): Cooldown => new Cooldown(provider, limitDeps);
    const limitsFor = (target: string, shared: Cooldown): ProviderLimits =>
      new ProviderLimits(target, shared, limitDeps);
    const makers = { breakerFor, cooldownFor, limitsFor, modelFor };
    this.#board = new TargetBoard({ live, secrets, ledger, ...makers, settings });
    this.#measure = new RequestMeasure(predictor, this.#board, clock, settings.route.predict);
    this.#observers = new ClaimObservers({
      clock,
      replica: (target) => this.#board.replica(target),
      wake: (target) => this.#queue.wake(target),
    });
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

  claim(decision: ChosenDecision, request: RouteRequest): Claim | null {
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
    claim.work = this.#measure.workOf(replica, request);
    if (replica !== null) claim.onEnd = this.#use.begin(replica.deployment.host, isUse(request));
    claim.asksNoCard = replica !== null && request.endpoint === 'count_tokens';
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
    const targets = readGauges(this.#board, this.#ledger, this.#now());
    const { reapedTotal } = this.#ledger;
    const { displacedTotal } = this.#queue;
    const held = this.#queue.gauges();
    const begunRests = readBegunRests(this.#board);
    const answers = readAnswers(this.#deps.declared.current(), this.#predictor.lengths);
    return { targets, reapedClaimsTotal: reapedTotal, held, displacedTotal, begunRests, answers };
  }

  useOf(host: string): UseOfHost {
    return this.#use.of(host, this.#queue.gauges(), (name) => {
      const resolved = this.#catalogue.get(name)?.resolved;
      return resolved !== undefined && servesOn(resolved, host, this.#deps.declared.current());
    });
  }

  learnedOf(deployment: string): LearnedOfEngine | null {
    const replica = this.#board.replica(deployment);
    return replica === undefined ? null : this.#learned.of(replica);
  }

  forgetRates(deployment: string): boolean {
    const replica = this.#board.replica(deployment);
    if (replica === undefined) return false;
    this.#learned.forget(replica);
    return true;
  }

  close(): void {
    this.#learned.close();
    for (const end of this.#subscriptions.splice(0)) end();
    this.#queue.close();
    this.#ledger.close();
  }

  #termsOf(request: RouteRequest): CostTerms {
    const { mayWait, resolved } = request;
    const rank = rankOfRequest(request);
    return {
      answerTokens: this.#measure.answerTokensOf(request),
      weights: resolved.kind === 'role' ? resolved.role.weights : this.#settings.route.predict.weights,
      mayPace: writesAnswer(request),
      past: this.#measure.pastOf(request),
      isBehind: mayWait === true && this.#queue.isBehind(nameOf(resolved), rank),
      waiting: this.#queue.aheadOf(nameOf(resolved), rank),
      turnSeconds: (targets) => {
        const etaMs = this.#queue.etaMsOf(askerOf(request), targets);
        return etaMs === null ? null : etaMs / 1000;
      },
    };
  }

  /** Where all is full, a refusal tells how it would stand in the queue. */
  #withOutlook(decision: Refused, request: RouteRequest): Refused {
    if (decision.code !== 'no_capacity') return decision;
    const full = decision.considered.filter(({ verdict }) => verdict === 'full').map(({ target }) => target);
    const outlook = this.#queue.outlookFor(askerOf(request), full);
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
      if (replica?.phase !== 'ready' || !isThere(replica) || isUnheard(replica.power)) return [];
      const { slots, meanHoldMs, model } = replica;
      const nextFreeSeconds = model.nextFreeSeconds(now.monotonicMs);
      return { slots, nextFreeSeconds, meanHoldSeconds: meanHoldMs === null ? null : meanHoldMs / 1000 };
    });
    const seconds = etaSeconds(ahead, targets);
    return seconds === null ? null : Math.round(seconds * 1000);
  }

  #listed({ id, kind, resolved }: CatalogueEntry, now: Moment): ListedModel {
    // What its role asks of a request, a listing cannot know.
    const groups = this.#board.candidates(resolved, now).map(unconditional);
    const task = taskOf(resolved);
    const request = { resolved, task, estimatedPromptTokens: null, excluded: NOTHING_TRIED, mayCloud: true };
    const decision = route(request, groups, this.#termsOf(request), NO_CHANCE, this.#settings.route);
    return { id, kind, task, ...describeModel(decision, groups) };
  }

  /** `null` when the declaration that was decided on is no longer the one that holds: to be decided again. */
  #placeOf(decision: ChosenDecision): Place | null {
    if (decision.kind === 'send') {
      const { deployment } = decision;
      const replica = this.#board.replica(deployment.name);
      if (replica?.deployment !== deployment) return null;
      const observer = this.#observers.of(replica.target, replica.breaker);
      const { target, breaker } = replica;
      return { target, slots: replica.slots, breaker, observer, replica, cloud: null };
    }
    const { provider, model } = decision;
    const cloud = this.#board.cloud(`${provider.name}/${model.name}`);
    if (cloud?.provider !== provider || cloud.model !== model) return null;
    const observer = this.#observers.of(cloud.target, cloud.breaker);
    const { target, breaker } = cloud;
    return { target, slots: null, breaker, observer, replica: null, cloud };
  }

  #readyAgain(deployment: string, wasDown: boolean): void {
    const replica = this.#board.replica(deployment);
    replica?.breaker.readyAgain();
    replica?.noticeReady();
    if (!wasDown || replica === undefined) return;
    replica.startSlowly(this.#deps.clock.monotonicMs());
    this.#predictor.affinity.restarted(replica.number);
  }

  #noticeChange(change: LiveChange): void {
    const nowMs = this.#deps.clock.monotonicMs();
    switch (change.kind) {
      case 'sample':
        for (const replica of this.#board.replicasOn(change.host)) replica.noticeSample();
        return;
      case 'host':
        for (const replica of this.#board.replicasOn(change.host.name)) {
          this.#learned.prepare(replica);
          replica.noticeChange(nowMs);
        }
        break;
      case 'hostRemoved':
        for (const replica of this.#board.replicasOn(change.name)) replica.noticeChange(nowMs);
        break;
      case 'replica': {
        const replica = this.#board.replica(change.replica.deployment);
        if (replica === undefined) break;
        this.#learned.prepare(replica);
        replica.noticeChange(nowMs);
        break;
      }
      case 'replicaRemoved':
        this.#board.replica(change.deployment)?.noticeChange(nowMs);
    }
    this.#queue.wake(null);
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

function unconditional(group: CandidateGroup): CandidateGroup {
  return group.kind === 'replicas'
    ? { kind: 'replicas', candidates: group.candidates }
    : { kind: 'provider', candidate: group.candidate };
}

function servesOn(resolved: ResolvedModel, host: string, { deployments }: DeclaredState): boolean {
  switch (resolved.kind) {
    case 'deployment':
      return resolved.deployment.host === host;
    case 'role':
      return resolved.role.targets.some(
        (target) => target.kind === 'deployment' && deployments.get(target.deployment)?.host === host,
      );
    case 'providerModel':
      return false;
  }
}

function isThere({ presence }: LiveReplicaTarget): boolean {
  return presence === 'online' || presence === 'late';
}
