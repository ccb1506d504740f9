import type { Fallback, Task, VllmReplica } from '@ai-fabric/shared';
import type { CardGigabytes, PresetName } from './decide/presets.js';
import type { RequestClass } from './request-class.js';

/** The whole declared state, as one value: read by everybody, replaced as a whole by the registry. */
export interface DeclaredState {
  /** Rises with every change. 0: nothing was ever declared. */
  readonly revision: number;
  readonly hosts: ReadonlyMap<string, DeclaredHost>;
  readonly deployments: ReadonlyMap<string, DeclaredDeployment>;
  readonly providers: ReadonlyMap<string, DeclaredProvider>;
  readonly roles: ReadonlyMap<string, DeclaredRole>;
  /** Alias → role or deployment. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly gateway: DeclaredGateway;
  /** `null`: none are made but on demand. */
  readonly backup: DeclaredBackup | null;
  readonly checks: DeclaredChecks;
  /** `null`: nothing is reckoned in money. */
  readonly tariff: DeclaredTariff | null;
}

export interface DeclaredHost {
  readonly name: string;
  /** A host that is expected to be asleep or off most of the time: being away is then no problem. */
  readonly mayBeAway: boolean;
  /** Of its hours; `null`: the control plane's. */
  readonly timeZone: string | null;
  readonly wake: DeclaredWake;
  readonly sleep: DeclaredSleep;
  readonly owner: DeclaredOwner;
  readonly energy: DeclaredEnergy;
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** From a time of day to another, `HH:MM`; where `to` is not later than `from`, to that of the next day. */
export interface DailyHours {
  readonly from: string;
  readonly to: string;
  /** On which it begins. */
  readonly days: readonly Weekday[];
}

export interface DeclaredWake {
  /** By its name in the control plane's own file; `null`: magic packets. */
  readonly waker: string | null;
  /** No request wakes it then. */
  readonly quietHours: readonly DailyHours[];
  readonly cooldownMinutes: number;
  readonly minimumUpMinutes: number;
  /** A wake that has led to no ready model by then has failed. */
  readonly timeoutSeconds: number;
}

export interface DeclaredSleep {
  /** `null`: never by itself. */
  readonly afterIdleMinutes: number | null;
  readonly action: 'suspend' | 'poweroff' | 'container-only' | 'none';
  readonly awakeHours: readonly DailyHours[];
  readonly drainSeconds: number;
}

export interface DeclaredOwner {
  readonly automatic: boolean;
  readonly drainSeconds: number;
  readonly action: 'park' | 'stop';
  readonly quietMinutes: number;
  /** 10^9 bytes. */
  readonly vramGigabytes: number;
  readonly utilisationRatio: number;
}

/** `null`: not known. */
export interface DeclaredEnergy {
  readonly baseWatts: number | null;
  readonly asleepWatts: number | null;
}

export interface DeclaredTariff {
  readonly pricePerKilowattHour: number;
  /** ISO 4217; of all prices. */
  readonly currency: string;
}

export interface DeclaredPrice {
  readonly inputPerMillionTokens: number;
  readonly outputPerMillionTokens: number;
}

/** What a request gets while only a sleeping host could serve it. */
export type OnAsleep = 'hold' | 'cloud' | 'cloudThenLocal' | 'refuse';

/** What a request may ask of a model beyond text. In this order wherever they are listed. */
export const CAPABILITIES = ['tools', 'vision', 'audio', 'json_schema'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** Who runs the engine is told by `engine`; what the router and the gateway need is the same for all. */
export type DeclaredDeployment = ExternalDeployment | VllmDeployment;

interface DeploymentBase {
  readonly name: string;
  readonly host: string;
  readonly task: Task;
  /** What the engine calls the model. */
  readonly servedModel: string;
  /** Requests that the engine takes at once; above it the router looks elsewhere. */
  readonly maxConcurrent: number;
  /** Prompt and answer together; `null`: as the engine reports. */
  readonly contextTokens: number | null;
  /** All that its model can; `null`: not declared, so nothing is ruled out. */
  readonly capabilities: readonly Capability[] | null;
  /** Whether clients see it in `/v1/models` under its own name. */
  readonly listed: boolean;
}

/** Somebody else runs it. */
export interface ExternalDeployment extends DeploymentBase {
  readonly engine: 'external';
  /** Where it answers, as both the control plane and the agent on its host reach it. */
  readonly url: string;
}

/** The agent runs it in a container; presets and defaults are filled in. See `vllmReplicaSchema` for the fields. */
export interface VllmDeployment
  extends DeploymentBase,
    Readonly<Omit<VllmReplica, 'deployment' | 'engine' | 'extraArguments' | 'fallbacks'>> {
  readonly engine: 'vllm';
  readonly preset: PresetName | null;
  readonly cardGigabytes: CardGigabytes;
  /** In direct reach, of its host; `null`: where its host's link comes from. */
  readonly address: string | null;
  readonly extraArguments: readonly string[];
  readonly fallbacks: readonly Fallback[];
}

/** A secret is never declared, only where it is found. */
export type SecretReference =
  | { readonly env: string }
  | { readonly file: string }
  /** Of systemd, by its name. */
  | { readonly credential: string }
  | { readonly azureKeyVault: { readonly vault: string; readonly secret: string } };

/** What a provider may be asked for, by the last word of its path; `chat` is `/chat/completions`. */
export const providerEndpoints = [
  'chat',
  'completions',
  'embeddings',
  'responses',
  'messages',
  'count_tokens',
  'transcriptions',
  'translations',
  'rerank',
  'score',
] as const;
export type ProviderEndpoint = (typeof providerEndpoints)[number];

export interface DeclaredProvider {
  readonly name: string;
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  readonly apiKey: SecretReference | null;
  /** What it is asked for; everything else goes past it. */
  readonly endpoints: readonly ProviderEndpoint[];
  /** Short name → what the provider calls it. `openai` with `strong` is the model `openai/strong`. */
  readonly models: ReadonlyMap<string, DeclaredProviderModel>;
}

export interface DeclaredProviderModel {
  readonly name: string;
  readonly model: string;
  readonly task: Task;
  /** All that it can; `null`: not declared, so nothing is ruled out. */
  readonly capabilities: readonly Capability[] | null;
  /** Prompt and answer together; `null`: not declared, and thought to be long enough for anything. */
  readonly contextTokens: number | null;
  /** `null`: not declared. */
  readonly price: DeclaredPrice | null;
}

/** `when`: what must hold beside; `null`: nothing. */
export type Target =
  | { readonly kind: 'deployment'; readonly deployment: string; readonly when: TargetCondition | null }
  | {
      readonly kind: 'provider';
      readonly provider: string;
      readonly model: string;
      readonly when: TargetCondition | null;
    };

/** When a target of a role is asked at all. Each that is `null` asks for nothing. */
export interface TargetCondition {
  /** Seconds: the targets before it are predicted to take longer than this until they begin. */
  readonly whenWaitExceeds: number | null;
  /** Tokens: prompt and allowed answer have at most so many, by the estimate. */
  readonly maxContext: number | null;
  /** The request needs one of these at least. */
  readonly capabilities: readonly Capability[] | null;
  /** The request must stay on hosts of one's own. */
  readonly localOnly: boolean;
}

/** How much a role's clients mind a second of waiting for the first token, and one of the rest of the answer. */
export interface RoleWeights {
  readonly firstToken: number;
  readonly answer: number;
}

export interface DeclaredRole {
  readonly name: string;
  readonly task: Task;
  /**
   * In order. Deployments that stand next to each other compete by predicted load; the router goes on to what
   * stands behind them only when none of them can serve. An embeddings role has targets of one model only.
   */
  readonly targets: readonly Target[];
  readonly firstByteTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly totalTimeoutSeconds: number;
  /** How long a request is held for a target that is expected soon; 0: not at all. */
  readonly patienceSeconds: number;
  readonly onAsleep: OnAsleep;
  readonly weights: RoleWeights;
  /** What a request may ask for with `x-fabric-max-wait`; `null`: `patienceSeconds`, or 50 where that is less. */
  readonly longestPatienceSeconds: number | null;
  /** Of requests that say nothing of their own. */
  readonly class: RequestClass;
  /** Length of the vectors of an embeddings role; `null`: not declared, so not checked. */
  readonly dimensions: number | null;
}

export interface DeclaredGateway {
  /** Origins of browser apps that may use `/v1`, such as `app://obsidian.md`. */
  readonly allowedOrigins: readonly string[];
  /** Further names under which clients reach the gateway. */
  readonly extraHosts: readonly string[];
}

/** Backups that the control plane makes by itself. */
export interface DeclaredBackup {
  /** Absolute, on the control plane's machine. */
  readonly directory: string;
  readonly schedule: { readonly everyHours: number } | { readonly cron: string };
  /** The newest so many stay. */
  readonly keep: number;
  /** Whether certificate, key and admin token are in them. */
  readonly secrets: boolean;
}

export type CheckSchedule = { readonly everySeconds: number } | { readonly cron: string };

/** Checks that the control plane runs by itself. `null`: not at all. */
export interface DeclaredChecks {
  readonly doctor: CheckSchedule | null;
  readonly smoke: CheckSchedule | null;
  readonly webhook: DeclaredWebhook | null;
}

export interface DeclaredWebhook {
  /** By reference where the address itself is a secret. */
  readonly url: string | SecretReference;
  /** Signs each post. */
  readonly secret: SecretReference | null;
}

/** Read access to the declared state and its changes. The registry implements it. */
export interface DeclaredSource {
  current(): DeclaredState;
  /** @returns a function that ends the subscription */
  onChange(listener: (state: DeclaredState) => void): () => void;
}

/** What a name that a client sends as `model` stands for. */
export type ResolvedModel =
  | { readonly kind: 'role'; readonly role: DeclaredRole }
  | { readonly kind: 'deployment'; readonly deployment: DeclaredDeployment }
  | {
      readonly kind: 'providerModel';
      readonly provider: DeclaredProvider;
      readonly model: DeclaredProviderModel;
    };
