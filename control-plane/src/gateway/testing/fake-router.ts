import type { Task } from '@ai-fabric/shared';
import type {
  DeclaredDeployment,
  DeclaredProvider,
  DeclaredProviderModel,
  DeclaredRole,
  ResolvedModel,
} from '../../declared/declared-state.js';
import type {
  AttemptOutcome,
  ChosenDecision,
  Claim,
  HeldRequest,
  HoldTicket,
  ListedModel,
  QueueOutlook,
  RouteDecision,
  RouteRequest,
  Router,
  ToldLimits,
  WaitDecision,
} from '../../router/route-types.js';

type Candidate =
  | { readonly kind: 'send'; readonly deployment: DeclaredDeployment }
  | { readonly kind: 'cloud'; readonly provider: DeclaredProvider; readonly model: DeclaredProviderModel };

/** Takes its candidates in order, skips what is excluded, and remembers every claim. */
export class FakeRouter implements Router {
  readonly candidates: Candidate[] = [];
  readonly outcomes: { target: string; outcome: AttemptOutcome }[] = [];
  readonly selected: RouteRequest[] = [];
  inflight = 0;
  releases = 0;
  answeredCount = 0;
  /** Of streams, as they were told to claims. */
  events = 0;
  readonly told: { target: string; told: ToldLimits }[] = [];
  /** Claims that are lost to others before one is won. */
  lostClaims = 0;
  listed: ListedModel[] = [];
  /** While it is set, whoever may wait does. */
  wait: WaitDecision | null = null;
  readonly held = new Set<HeldRequest>();
  /** Of everybody who is held. */
  outlook: QueueOutlook = { position: 4, etaMs: 9_400, retryAfterSeconds: 10 };
  role: DeclaredRole;

  constructor(timeouts: Partial<DeclaredRole> = {}, task: Task = 'chat') {
    this.role = {
      name: 'chat-fast',
      task,
      targets: [],
      onAsleep: 'hold',
      firstByteTimeoutSeconds: 30,
      idleTimeoutSeconds: 30,
      dimensions: null,
      totalTimeoutSeconds: 300,
      patienceSeconds: 50,
      weights: { firstToken: 1, answer: 0.05 },
      longestPatienceSeconds: null,
      class: 'normal',
      ...timeouts,
    };
  }

  addDeployment(url: string, name = `replica-${this.candidates.length + 1}`): void {
    const deployment: DeclaredDeployment = {
      name,
      host: `host-of-${name}`,
      task: this.role.task,
      engine: 'external',
      url,
      servedModel: `served/${name}`,
      maxConcurrent: 8,
      contextTokens: 8192,
      capabilities: null,
      listed: true,
    };
    this.candidates.push({ kind: 'send', deployment });
  }

  addProvider(baseUrl: string, apiKey: DeclaredProvider['apiKey'] = { env: 'TEST_KEY' }): void {
    const model: DeclaredProviderModel = {
      ...{ name: 'strong', model: 'gpt-strong-1', task: this.role.task },
      ...{ capabilities: null, contextTokens: null, price: null },
    };
    const provider: DeclaredProvider = {
      name: 'openai',
      baseUrl,
      apiKey,
      endpoints: ['chat', 'completions', 'embeddings', 'responses', 'messages', 'count_tokens'],
      models: new Map([['strong', model]]),
    };
    this.candidates.push({ kind: 'cloud', provider, model });
  }

  select(request: RouteRequest): RouteDecision {
    this.selected.push(request);
    if (this.wait !== null && request.mayWait === true) return this.wait;
    const tooSmall = request.foundTooLongBy ?? new Set();
    const free = this.candidates.find((candidate) => {
      const target = targetOf(candidate);
      return !request.excluded.has(target) && !tooSmall.has(target);
    });
    if (free !== undefined) return { ...free, reason: 'least_cost', considered: [] };
    const considered = this.candidates.map((candidate) => ({
      target: targetOf(candidate),
      verdict: 'already_tried' as const,
      costSeconds: null,
    }));
    return {
      kind: 'refuse',
      code: tooSmall.size > 0 && tooSmall.size === this.candidates.length ? 'context_too_long' : 'all_failed',
      detail: 'nothing is left for "chat-fast"',
      retryAfterSeconds: 7,
      considered,
    };
  }

  claim(decision: ChosenDecision): Claim | null {
    if (this.lostClaims > 0) {
      this.lostClaims--;
      return null;
    }
    const target = targetOf(decision);
    this.inflight++;
    let isOpen = true;
    return {
      target,
      answered: () => {
        this.answeredCount++;
      },
      progressed: (events) => {
        this.events += events;
      },
      limitsTold: (told) => {
        this.told.push({ target, told });
      },
      release: (outcome) => {
        this.releases++;
        if (!isOpen) return;
        isOpen = false;
        this.inflight--;
        this.outcomes.push({ target, outcome });
      },
    };
  }

  hold(held: HeldRequest): HoldTicket {
    this.held.add(held);
    return { leave: () => void this.held.delete(held), outlook: () => this.outlook };
  }

  /** Something changed: everybody looks again, once. */
  wake(): void {
    for (const held of this.held) if (held.lookAgain() === null) this.held.delete(held);
  }

  comebacks(): number {
    return 0;
  }

  resolve(model: string): ResolvedModel | undefined {
    return model === this.role.name ? { kind: 'role', role: this.role } : undefined;
  }

  nearestNames(): readonly string[] {
    return [this.role.name, 'chat-deep'];
  }

  listModels(): readonly ListedModel[] {
    return this.listed;
  }
}

function targetOf(candidate: Candidate | ChosenDecision): string {
  if (candidate.kind === 'send') return candidate.deployment.name;
  return `${candidate.provider.name}/${candidate.model.name}`;
}
