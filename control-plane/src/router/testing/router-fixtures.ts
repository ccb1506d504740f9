import type { EngineReading } from '@ai-fabric/shared';
import { emptyEngineReading } from '@ai-fabric/shared';
import { declareHost } from '../../declared/decide/declare-host.js';
import type {
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredProviderModel,
  DeclaredRole,
  DeclaredState,
  ExternalDeployment,
  Target,
} from '../../declared/declared-state.js';
import { UNKNOWN_POWER } from '../../live/host-power.js';
import type { CandidateGroup, CloudCandidate, ReplicaCandidate } from '../candidate.js';
import type { CostTerms } from '../decide/choose-replica.js';
import { UNKNOWN_RATES } from '../predict/decide/guess-rates.js';
import { emptyLoad, type ReplicaLoad } from '../predict/predict-types.js';
import type { RouteRequest } from '../route-types.js';

export function deploymentOf(name: string, more: Partial<ExternalDeployment> = {}): ExternalDeployment {
  return {
    name,
    host: `host-of-${name}`,
    task: 'chat',
    engine: 'external',
    url: `http://${name}:8000`,
    servedModel: 'model',
    maxConcurrent: 4,
    contextTokens: null,
    capabilities: null,
    listed: true,
    ...more,
  };
}

export function providerOf(name: string, models: Readonly<Record<string, Partial<DeclaredProviderModel>>>) {
  return {
    name,
    baseUrl: `https://${name}.example/v1`,
    apiKey: { env: 'PROVIDER_KEY' },
    endpoints: ['chat' as const, 'completions' as const, 'embeddings' as const],
    models: new Map(
      Object.entries(models).map(([model, more]) => [
        model,
        {
          name: model,
          model: `${model}-2025`,
          task: 'chat' as const,
          capabilities: null,
          contextTokens: null,
          price: null,
          ...more,
        },
      ]),
    ),
  } satisfies DeclaredProvider;
}

/** Targets as they are named: `armitage-chat` a deployment, `openai/strong` a provider's model. */
export function roleOf(
  name: string,
  targets: readonly string[],
  more: Partial<DeclaredRole> = {},
): DeclaredRole {
  return {
    name,
    task: 'chat',
    targets: targets.map(targetOf),
    firstByteTimeoutSeconds: 60,
    idleTimeoutSeconds: 60,
    dimensions: null,
    totalTimeoutSeconds: 600,
    patienceSeconds: 50,
    onAsleep: 'hold',
    weights: { firstToken: 1, answer: 0.05 },
    longestPatienceSeconds: null,
    class: 'normal',
    ...more,
  };
}

export function targetOf(name: string): Target {
  const [provider = '', model] = name.split('/');
  return model === undefined
    ? { kind: 'deployment', deployment: name, when: null }
    : { kind: 'provider', provider, model, when: null };
}

export interface StateParts {
  readonly deployments?: readonly DeclaredDeployment[];
  readonly providers?: readonly DeclaredProvider[];
  readonly roles?: readonly DeclaredRole[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly mayBeAway?: readonly string[];
  readonly revision?: number;
}

export function stateOf(parts: StateParts): DeclaredState {
  const deployments = parts.deployments ?? [];
  const hosts = [...new Set(deployments.map(({ host }) => host))];
  return {
    revision: parts.revision ?? 1,
    hosts: new Map(
      hosts.map((name) => [name, declareHost(name, { mayBeAway: parts.mayBeAway?.includes(name) ?? false })]),
    ),
    deployments: byName(deployments),
    providers: byName(parts.providers ?? []),
    roles: byName(parts.roles ?? []),
    aliases: new Map(Object.entries(parts.aliases ?? {})),
    backup: null,
    gateway: { allowedOrigins: [], extraHosts: [] },
    checks: { doctor: null, smoke: null, webhook: null },
    tariff: null,
  };
}

function byName<Named extends { readonly name: string }>(all: readonly Named[]): ReadonlyMap<string, Named> {
  return new Map(all.map((each) => [each.name, each]));
}

export function readingOf(more: Partial<EngineReading> = {}): EngineReading {
  return { ...emptyEngineReading, running: 0, waiting: 0, kvUsageRatio: 0, ...more };
}

type ReplicaParts = Partial<Omit<ReplicaCandidate, 'deployment' | 'load'>> & {
  readonly load?: Partial<ReplicaLoad>;
  readonly deployment?: Partial<ExternalDeployment>;
};

/** A replica that is ready, idle and known to be so. */
export function replicaOf(name: string, parts: ReplicaParts = {}): ReplicaCandidate {
  const { deployment, load, ...more } = parts;
  return {
    noWay: null,
    noWayForMs: Number.POSITIVE_INFINITY,
    kind: 'replica',
    target: name,
    mayBeAway: false,
    presence: 'online',
    draining: false,
    power: UNKNOWN_POWER,
    wakeInMs: null,
    isWakeLate: false,
    yielded: false,
    phase: 'ready',
    needsSignIn: false,
    phaseForMs: Number.POSITIVE_INFINITY,
    doubtForMs: 0,
    contextTokens: null,
    blockedForMs: 0,
    busyForMs: 0,
    inflight: 0,
    slots: deployment?.maxConcurrent ?? 4,
    keptForMs: 0,
    meanHoldMs: null,
    rates: UNKNOWN_RATES,
    bytesPerToken: 4,
    isDensityKnown: false,
    number: 0,
    hitTrust: 1,
    ...more,
    load: { ...emptyLoad(), slots: deployment?.maxConcurrent ?? 4, decoding: more.inflight ?? 0, ...load },
    deployment: deploymentOf(name, deployment),
  };
}

/** A provider's model that can serve. @param target `provider/model` */
export function cloudOf(
  target: string,
  more: Partial<CloudCandidate> & { readonly modelMore?: Partial<DeclaredProviderModel> } = {},
): CloudCandidate {
  const { modelMore, ...rest } = more;
  const [providerName = '', modelName = ''] = target.split('/');
  const provider = providerOf(providerName, { [modelName]: modelMore ?? {} });
  const model = provider.models.get(modelName) as DeclaredProviderModel;
  return {
    kind: 'provider',
    target,
    provider,
    model,
    keyPresent: true,
    blockedForMs: 0,
    busyForMs: 0,
    restForMs: 0,
    restCause: 'rate',
    tokensLeft: Number.POSITIVE_INFINITY,
    tokensInMs: 0,
    ...rest,
  };
}

export function replicasOf(...candidates: readonly ReplicaCandidate[]): CandidateGroup {
  return { kind: 'replicas', candidates };
}

export function cloudGroupOf(candidate: CloudCandidate): CandidateGroup {
  return { kind: 'provider', candidate };
}

/** What the router knows beside a request: nothing out of the ordinary. */
export function termsOf(more: Partial<CostTerms> = {}): CostTerms {
  return {
    answerTokens: 200,
    weights: { firstToken: 1, answer: 0.05 },
    mayPace: true,
    past: null,
    isBehind: false,
    ...more,
  };
}

/** A request for a role. Its targets do not matter where the candidates are handed in. */
export function requestOf(more: Partial<RouteRequest> = {}): RouteRequest {
  return {
    resolved: { kind: 'role', role: roleOf('chat-fast', []) },
    task: 'chat',
    estimatedPromptTokens: null,
    excluded: new Set(),
    mayCloud: true,
    ...more,
  };
}
