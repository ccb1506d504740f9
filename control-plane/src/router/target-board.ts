import type {
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredState,
  ResolvedModel,
  Target,
} from '../declared/declared-state.js';
import type { LiveView } from '../live/live-view.js';
import type { Breaker } from './breaker.js';
import type { CandidateGroup, GroupTerms } from './candidate.js';
import { CloudTarget, type SecretPresence } from './cloud-target.js';
import { groupTargets, opensAfter, type TargetGroup, targetKey } from './decide/group-targets.js';
import type { Moment } from './engine-gauges.js';
import type { Ledger } from './ledger.js';
import { LiveReplicaTarget } from './live-replica-target.js';
import type { ReplicaModel } from './predict/replica-model.js';
import type { Cooldown, ProviderLimits } from './provider-limits.js';
import type { RouterSettings } from './router-settings.js';

export interface TargetBoardDeps {
  readonly live: LiveView;
  readonly secrets: SecretPresence;
  readonly ledger: Ledger;
  /** Makes a fresh one. */
  readonly breakerFor: (target: string) => Breaker;
  readonly cooldownFor: (provider: string) => Cooldown;
  /** @param shared by all models of its provider */
  readonly limitsFor: (target: string, shared: Cooldown) => ProviderLimits;
  readonly modelFor: (deployment: DeclaredDeployment) => ReplicaModel;
  readonly settings: RouterSettings;
}

const NO_GROUPS: readonly BoardGroup[] = [];
const NO_REPLICAS: readonly LiveReplicaTarget[] = [];

/** A group of candidates that can be brought up to date. */
type BoardGroup = GroupTerms &
  (
    | { readonly kind: 'replicas'; readonly candidates: readonly LiveReplicaTarget[] }
    | { readonly kind: 'provider'; readonly candidate: CloudTarget }
  );

/**
 * The candidates of everything that can be asked for, laid out once per declared state. A decision only brings
 * those that it needs up to date.
 */
export class TargetBoard {
  readonly #deps: TargetBoardDeps;
  #replicas: ReadonlyMap<string, LiveReplicaTarget> = new Map();
  /** Of engines, given out so far. */
  #numbers = 0;
  #byHost: ReadonlyMap<string, readonly LiveReplicaTarget[]> = new Map();
  #byNumber: (LiveReplicaTarget | undefined)[] = [];
  #clouds: ReadonlyMap<string, CloudTarget> = new Map();
  #roles: ReadonlyMap<string, readonly BoardGroup[]> = new Map();
  #single: ReadonlyMap<string, readonly BoardGroup[]> = new Map();

  constructor(deps: TargetBoardDeps) {
    this.#deps = deps;
  }

  replicas(): Iterable<LiveReplicaTarget> {
    return this.#replicas.values();
  }

  replicasOn(host: string): readonly LiveReplicaTarget[] {
    return this.#byHost.get(host) ?? NO_REPLICAS;
  }

  /** Engines are numbered from 0 up to this. */
  get numbers(): number {
    return this.#numbers;
  }

  /** The key-value cache of an engine, by its number; 0: not known, or it is gone. */
  capacityOf(number: number): number {
    return this.#byNumber[number]?.load.kvCapacityTokens ?? 0;
  }

  clouds(): Iterable<CloudTarget> {
    return this.#clouds.values();
  }

  replica(deployment: string): LiveReplicaTarget | undefined {
    return this.#replicas.get(deployment);
  }

  cloud(target: string): CloudTarget | undefined {
    return this.#clouds.get(target);
  }

  has(target: string): boolean {
    return this.#replicas.has(target) || this.#clouds.has(target);
  }

  /**
   * Lays everything out anew. What was learned of an engine is kept as long as it is the same engine; a name that
   * now stands for another one starts with a clean record.
   */
  rebuild(state: DeclaredState): void {
    this.#replicas = this.#buildReplicas(state);
    this.#byHost = byHost(this.#replicas.values());
    this.#byNumber = [];
    for (const replica of this.#replicas.values()) this.#byNumber[replica.number] = replica;
    this.#clouds = this.#buildClouds(state);
    const roles = new Map<string, readonly BoardGroup[]>();
    for (const role of state.roles.values()) {
      roles.set(role.name, this.#candidateGroups(groupTargets(role.targets)));
    }
    this.#roles = roles;
    const single = new Map<string, readonly BoardGroup[]>();
    for (const replica of this.#replicas.values()) {
      single.set(replica.target, [{ kind: 'replicas', candidates: [replica] }]);
    }
    for (const cloud of this.#clouds.values()) {
      single.set(cloud.target, [{ kind: 'provider', candidate: cloud }]);
    }
    this.#single = single;
  }

  /** The candidates of what was asked for, as of `now`; none when it is no longer declared. */
  candidates(resolved: ResolvedModel, now: Moment): readonly CandidateGroup[] {
    const groups = this.#groupsOf(resolved) ?? NO_GROUPS;
    for (const group of groups) {
      if (group.kind === 'provider') group.candidate.refresh(now);
      else for (const candidate of group.candidates) candidate.refresh(now);
    }
    return groups;
  }

  #groupsOf(resolved: ResolvedModel): readonly BoardGroup[] | undefined {
    switch (resolved.kind) {
      case 'role':
        return this.#roles.get(resolved.role.name);
      case 'deployment':
        return this.#single.get(resolved.deployment.name);
      case 'providerModel':
        return this.#single.get(`${resolved.provider.name}/${resolved.model.name}`);
    }
  }

  #buildReplicas(state: DeclaredState): ReadonlyMap<string, LiveReplicaTarget> {
    const { live, breakerFor, modelFor, ledger, settings } = this.#deps;
    const replicas = new Map<string, LiveReplicaTarget>();
    for (const deployment of state.deployments.values()) {
      const mayBeAway = state.hosts.get(deployment.host)?.mayBeAway ?? false;
      const account = ledger.account(deployment.name);
      const named = this.#replicas.get(deployment.name);
      const earlier = named && isSameEngine(named.deployment, deployment) ? named : undefined;
      const breaker = earlier?.breaker ?? breakerFor(deployment.name);
      const model = earlier?.model ?? modelFor(deployment);
      const { external, reading, doubtMs, keepSlotMs, route } = settings;
      const targetSettings = { external, reading, doubtMs, keepSlotMs, lag: route.predict.lag };
      const number = earlier?.number ?? this.#numbers++;
      const deps = { live, breaker, account, model, number, settings: targetSettings };
      const replica = new LiveReplicaTarget(deployment, mayBeAway, deps);
      if (earlier !== undefined) replica.inherit(earlier);
      replicas.set(deployment.name, replica);
    }
    return replicas;
  }

  #buildClouds(state: DeclaredState): ReadonlyMap<string, CloudTarget> {
    const { secrets, breakerFor, limitsFor, ledger, settings } = this.#deps;
    const clouds = new Map<string, CloudTarget>();
    for (const provider of state.providers.values()) {
      const known = this.#cooldownOf(provider);
      const shared = known ?? this.#deps.cooldownFor(provider.name);
      for (const model of provider.models.values()) {
        const target = `${provider.name}/${model.name}`;
        const earlier = this.#clouds.get(target);
        const isSame = earlier?.provider.baseUrl === provider.baseUrl && earlier.model.model === model.model;
        const breaker = isSame ? earlier.breaker : breakerFor(target);
        const limits = isSame && known !== null ? earlier.limits : limitsFor(target, shared);
        const deps = { secrets, breaker, limits, keyCheckMs: settings.keyCheckMs };
        clouds.set(target, new CloudTarget(provider, model, deps));
        ledger.account(target);
      }
    }
    return clouds;
  }

  /** Another address or another key is another account: what the former one told of its limits is not its. */
  #cooldownOf(provider: DeclaredProvider): Cooldown | null {
    for (const { provider: earlier, limits } of this.#clouds.values()) {
      if (earlier.name !== provider.name) continue;
      const isSame =
        earlier.baseUrl === provider.baseUrl &&
        JSON.stringify(earlier.apiKey) === JSON.stringify(provider.apiKey);
      return isSame ? limits.shared : null;
    }
    return null;
  }

  /** The registry refuses a role whose targets are not declared; should one slip through, it serves by the rest. */
  #candidateGroups(groups: readonly TargetGroup[]): readonly BoardGroup[] {
    return groups.flatMap((group): BoardGroup[] => {
      if (group.kind === 'provider') {
        const candidate = this.#clouds.get(targetKey(group.target));
        return candidate === undefined ? [] : [{ kind: 'provider', candidate, ...termsOf([group.target]) }];
      }
      const targets = group.targets.filter(({ deployment }) => this.#replicas.has(deployment));
      const candidates = targets.flatMap(({ deployment }) => this.#replicas.get(deployment) ?? []);
      return candidates.length === 0 ? [] : [{ kind: 'replicas', candidates, ...termsOf(targets) }];
    });
  }
}

/** What is not there is left out: most roles ask for nothing. */
function termsOf(targets: readonly Target[]): Pick<CandidateGroup, 'conditions' | 'opensAfterSeconds'> {
  const conditions = targets.map(({ when }) => when);
  const opensAfterSeconds = opensAfter(targets[0]);
  return {
    ...(conditions.every((each) => each === null) ? {} : { conditions }),
    ...(opensAfterSeconds === null ? {} : { opensAfterSeconds }),
  };
}

function byHost(replicas: Iterable<LiveReplicaTarget>): ReadonlyMap<string, readonly LiveReplicaTarget[]> {
  const hosts = new Map<string, LiveReplicaTarget[]>();
  for (const replica of replicas) {
    const { host } = replica.deployment;
    const known = hosts.get(host);
    if (known === undefined) hosts.set(host, [replica]);
    else known.push(replica);
  }
  return hosts;
}

function isSameEngine(a: DeclaredDeployment, b: DeclaredDeployment): boolean {
  return a.host === b.host && addressOf(a) === addressOf(b) && a.servedModel === b.servedModel;
}

/** Where it answers; a container of ours is reached by its name, or at its port. */
function addressOf(deployment: DeclaredDeployment): string {
  if (deployment.engine === 'external') return deployment.url;
  const { reach, model, address, port } = deployment;
  return reach === 'tunnel' ? `tunnel ${model}` : `direct ${model} ${address} ${port}`;
}
