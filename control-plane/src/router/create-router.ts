import type { Clock, Random } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { DeclaredSource, DeclaredState, ResolvedModel } from '../declared/declared-state.js';
import type { LiveView } from '../live/live-view.js';
import { Breaker } from './breaker.js';
import type { SecretPresence } from './cloud-target.js';
import { describeModel } from './decide/describe-model.js';
import { route } from './decide/route.js';
import { suggestModels } from './decide/suggest-models.js';
import { Ledger } from './ledger.js';
import type { Moment } from './live-replica-target.js';
import { type CatalogueEntry, modelCatalogue, taskOf } from './model-catalogue.js';
import { watchReady } from './ready-watch.js';
import type {
  Claim,
  ListedModel,
  RouteDecision,
  RouteRequest,
  Router,
  RouterGauges,
  TargetGauge,
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

/** Where a claim is taken. */
interface Place {
  readonly target: string;
  /** `null`: unbounded. */
  readonly slots: number | null;
  readonly breaker: Breaker;
}

class LiveRouter implements RunningRouter {
  readonly #deps: RouterDeps;
  readonly #settings: RouterSettings;
  readonly #ledger: Ledger;
  readonly #board: TargetBoard;
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
    this.#board = new TargetBoard({ live, secrets, ledger, breakerFor, settings });
    this.#takeDeclared(declared.current());
    this.#subscriptions = [
      declared.onChange((state) => this.#takeDeclared(state)),
      watchReady(live, (deployment) => this.#board.replica(deployment)?.breaker.readyAgain()),
    ];
  }

  select(request: RouteRequest): RouteDecision {
    const groups = this.#board.candidates(request.resolved, this.#now());
    return route(request, groups, this.#deps.random, this.#settings.route);
  }

  claim(decision: Chosen): Claim | null {
    const place = this.#placeOf(decision);
    if (place === null) return null;
    const { target, slots, breaker } = place;
    if (slots !== null && this.#ledger.account(target).inflight >= slots) return null;
    if (breaker.busyForMs(this.#deps.clock.monotonicMs()) > 0) return null;
    // Asked last: a probe that was admitted and then not taken would keep the next one out.
    const admission = breaker.admit();
    if (admission === 'refused') return null;
    return this.#ledger.claim(target, slots, admission === 'probe', breaker);
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
      targets.push({ ...this.#counts(replica.target), kind: 'deployment', slots, externalLoad, breaker });
    }
    const unbounded = { slots: null, externalLoad: null };
    for (const { target, breaker } of this.#board.clouds()) {
      targets.push({ ...this.#counts(target), ...unbounded, kind: 'provider', breaker: breaker.phase });
    }
    for (const { target } of this.#ledger.accounts()) {
      if (this.#board.has(target)) continue;
      const kind = target.includes('/') ? 'provider' : 'deployment';
      targets.push({ ...this.#counts(target), ...unbounded, kind, breaker: 'closed' });
    }
    return { targets, reapedClaimsTotal: this.#ledger.reapedTotal };
  }

  close(): void {
    for (const end of this.#subscriptions.splice(0)) end();
    this.#ledger.close();
  }

  #listed({ id, kind, resolved }: CatalogueEntry, now: Moment): ListedModel {
    const groups = this.#board.candidates(resolved, now);
    const task = taskOf(resolved);
    const request = { resolved, task, estimatedPromptTokens: null, excluded: NOTHING_TRIED, mayCloud: true };
    const decision = route(request, groups, NO_CHANCE, this.#settings.route);
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
      return { target: replica.target, slots: deployment.maxConcurrent, breaker: replica.breaker };
    }
    const { provider, model } = decision;
    const cloud = this.#board.cloud(`${provider.name}/${model.name}`);
    if (cloud?.provider !== provider || cloud.model !== model) return null;
    return { target: cloud.target, slots: null, breaker: cloud.breaker };
  }

  #takeDeclared(state: DeclaredState): void {
    this.#catalogue = modelCatalogue(state);
    this.#board.rebuild(state);
    this.#ledger.retain((target) => this.#board.has(target));
    let longestSeconds = 0;
    for (const role of state.roles.values()) {
      longestSeconds = Math.max(longestSeconds, role.totalTimeoutSeconds);
    }
    this.#ledger.setDeadline(longestSeconds * 1000 * DEADLINE_FACTOR);
  }

  #now(): Moment {
    const { clock } = this.#deps;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
  }
}
