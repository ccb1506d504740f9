import { applyStepResult } from '../decide/apply-step-result.js';
import { beginStep } from '../decide/begin-step.js';
import { changeWanted } from '../decide/change-wanted.js';
import { type KeptContainer, type KeptState, newKeptState, type Seen } from '../decide/container-state.js';
import type { ContainerStep, StepResult } from '../decide/container-step.js';
import { trouble } from '../decide/container-trouble.js';
import { doubtKept } from '../decide/doubt-kept.js';
import { missingAdoption } from '../decide/missing-adoption.js';
import { planContainerStep } from '../decide/plan-container-step.js';
import type { PlanInput, Wanted } from '../decide/plan-input.js';

const wantedRunning: Wanted = {
  wish: 'running',
  held: null,
  removed: false,
  image: 'vllm/vllm-openai:v0.11.0',
  specHash: 'spec-1',
  servedModel: 'qwen',
  task: 'chat',
  restartCount: 0,
  hasGpu: true,
  readyWithinMs: 600_000,
  drainWithinSeconds: 120,
  parkable: false,
  fallbackCount: 0,
  adopt: null,
};

export interface WorldContainer {
  id: string;
  name: string;
  owner: 'ours' | 'foreign';
  specHash: string | null;
  offline: boolean | null;
  run: KeptContainer['run'];
  startedAtMs: number | null;
  exitCode: number | null;
  asleep: boolean;
}

const NAME = 'ai-fabric-qwen';

/** A host without a host: what a plan's steps do to it is computed, its time is a number. */
export class World {
  nowMs = 0;
  engineUp = true;
  hasImage = false;
  pullFails = false;
  room = true;
  gpuSeen = true;
  tellsSleep = true;
  /** How the engine in a container that runs behaves. */
  engine: 'serves' | 'loads for ever' | 'crashes' | 'out of memory' | 'says nonsense' = 'serves';
  refusal: PlanInput['refusal'] = null;
  /** All that it loads is in the cache, as it is and as the agent knows. */
  cached = false;
  cacheIsWhole: boolean | null = null;
  diskIsFull = false;
  parkingRefusal: string | null = 'the deployment is not declared parkable.';
  inFlight = 0;
  drainFails = false;
  adoptedId: string | null = null;
  readonly containers: WorldContainer[] = [];
  readonly steps: ContainerStep[] = [];
  wanted: Wanted;
  state: KeptState;
  finished = false;
  #ids = 0;

  constructor(wanted: Partial<Wanted> = {}) {
    this.wanted = { ...wantedRunning, ...wanted };
    this.state = newKeptState(0, { restartsDone: this.wanted.restartCount, rung: 0 });
  }

  get ours(): readonly WorldContainer[] {
    return this.containers.filter(({ owner }) => owner === 'ours');
  }

  add(container: Partial<WorldContainer> = {}): WorldContainer {
    const made: WorldContainer = {
      id: `c${++this.#ids}`,
      name: NAME,
      owner: 'ours',
      specHash: this.wanted.specHash,
      offline: this.cacheIsWhole === true,
      run: 'running',
      startedAtMs: this.nowMs,
      exitCode: null,
      asleep: false,
      ...container,
    };
    this.containers.push(made);
    return made;
  }

  change(wanted: Partial<Wanted>): void {
    const before = this.wanted;
    this.wanted = { ...before, ...wanted };
    this.state = changeWanted(this.state, before, this.wanted, this.nowMs);
  }

  /** As an event tells it. */
  hear(): void {
    this.state = { ...this.state, stale: true };
  }

  /** Its machine slept. */
  sleep(): void {
    this.state = doubtKept(this.state, this.nowMs);
  }

  /** A new agent on the same host. */
  restartAgent(): void {
    const { restartsDone, rung } = this.state;
    this.state = newKeptState(this.nowMs, { restartsDone, rung });
  }

  plan(): ContainerStep {
    return planContainerStep({
      wanted: this.wanted,
      state: this.state,
      refusal: this.refusal,
      parkingRefusal: this.parkingRefusal,
      cacheIsWhole: this.cacheIsWhole,
      inFlight: this.inFlight,
      nowMs: this.nowMs,
    });
  }

  /** Takes one step; a wait moves the time on, no further than to `untilMs`. @returns false: nothing is to be done by then */
  step(untilMs: number): boolean {
    const step = this.plan();
    if (step.kind === 'wait_until') {
      if (step.untilMs > untilMs) {
        this.nowMs = untilMs;
        return false;
      }
      this.nowMs = Math.max(this.nowMs, step.untilMs);
      return true;
    }
    this.steps.push(step);
    this.state = beginStep(this.state, step, this.nowMs);
    const result = this.execute(step);
    if (step.kind === 'finish') this.finished = true;
    const context = { wanted: this.wanted, nowMs: this.nowMs, lot: 0.5 };
    this.state = applyStepResult(this.state, step, result, context);
    return !this.finished;
  }

  /** Runs for so long. @throws when it takes steps without end */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    let atOneTime = 0;
    let before = this.nowMs;
    while (!this.finished && this.step(untilMs)) {
      atOneTime = before === this.nowMs ? atOneTime + 1 : 0;
      before = this.nowMs;
      if (atOneTime > 60) throw new Error(`steps without end: ${this.kinds.slice(-12).join(', ')}`);
    }
  }

  get kinds(): string[] {
    return this.steps.map(({ kind }) => kind);
  }

  #find(id: string): WorldContainer | undefined {
    return this.containers.find((container) => container.id === id);
  }

  #look(): Seen {
    const wanted = this.wanted.adopt;
    const found =
      (wanted !== null && this.adoptedId !== null ? this.#find(this.adoptedId) : undefined) ??
      this.containers.find(({ name }) => name === (wanted ?? NAME));
    if (found === undefined) return this.#standIn() ?? { kind: 'none' };
    const { id, name, owner, specHash, offline, run, exitCode, startedAtMs } = found;
    if (wanted !== null && id !== this.adoptedId) return { kind: 'adoptable', id, name };
    if (wanted === null && owner === 'foreign') return { kind: 'foreign', id, name };
    return {
      kind: 'kept',
      ...{ id, name, specHash, offline, run, exitCode, startedAtMs },
      ...{ adopted: wanted !== null, image: this.wanted.image, standsIn: null },
      ...{ oomKilled: false, address: { host: '127.0.0.1', port: 8_000 }, drift: [] },
    };
  }

  /** Ours goes on where the one that is to be adopted is not there. */
  #standIn(): Seen | null {
    const [own] = this.ours;
    if (this.wanted.adopt === null || own === undefined) return null;
    const { id, name, specHash, offline, run, exitCode, startedAtMs } = own;
    return {
      ...{ kind: 'kept', id, name, specHash, offline, run, exitCode, startedAtMs, adopted: false },
      ...{ image: this.wanted.image, standsIn: missingAdoption(this.wanted.adopt, []) },
      ...{ oomKilled: false, address: { host: '127.0.0.1', port: 8_000 }, drift: [] },
    };
  }

  #running(): WorldContainer | undefined {
    const { seen } = this.state;
    const found = 'id' in seen ? this.#find(seen.id) : undefined;
    return found?.run === 'running' ? found : undefined;
  }

  /** @throws where a step would touch what is not ours */
  execute(step: ContainerStep): StepResult {
    if ('id' in step && step.kind !== 'adopt') this.#guard(step.id);
    if (step.kind === 'give_up' && step.stop !== null) this.#guard(step.stop);
    const local = ['settle', 'check_fit', 'check_health', 'list_models', 'prove', 'finish'].includes(
      step.kind,
    );
    if (!this.engineUp && !local) {
      return { kind: 'engine_away', trouble: trouble('engine_unreachable', 'It does not answer.') };
    }
    return this.#do(step);
  }

  #guard(id: string): void {
    const found = this.#find(id);
    if (found === undefined || found.owner === 'ours' || found.id === this.adoptedId) return;
    throw new Error(`a step touches the foreign container ${found.name}`);
  }

  #do(step: ContainerStep): StepResult {
    switch (step.kind) {
      case 'inspect':
        return { kind: 'seen', seen: this.#look() };
      case 'find_image':
        return { kind: 'image', present: this.hasImage };
      case 'pull':
        if (this.pullFails) return { kind: 'failed', trouble: trouble('pull_failed', 'broken off') };
        this.hasImage = true;
        return { kind: 'done' };
      case 'check_disk':
        return this.diskIsFull
          ? { kind: 'failed', trouble: trouble('disk_full', 'no room') }
          : { kind: 'done' };
      case 'look_cache':
        this.cacheIsWhole = this.cached;
        return this.diskIsFull && step.fetches && !this.cached
          ? { kind: 'failed', trouble: trouble('disk_full', 'no room') }
          : { kind: 'done' };
      case 'check_fit':
        return this.room
          ? { kind: 'done' }
          : { kind: 'failed', trouble: trouble('vram_insufficient', 'no room') };
      case 'create':
        if (this.containers.some(({ name }) => name === NAME)) return { kind: 'changed' };
        this.add({ run: 'created', startedAtMs: null });
        return { kind: 'created', seen: this.#look() };
      case 'start':
        return this.#start(step.id);
      case 'check_gpu':
        return this.gpuSeen ? { kind: 'done' } : { kind: 'gpu_missing', detail: 'no card' };
      case 'list_models':
      case 'check_health':
      case 'prove':
        if (step.kind === 'prove' && this.#running()) this.cached = true;
        return this.#ask(step.kind);
      case 'check_asleep':
        return this.#tellSleep();
      case 'stop':
        this.#end(step.id, 143);
        return { kind: 'done' };
      case 'remove':
        this.#remove(step.id);
        return { kind: 'done' };
      case 'park':
      case 'unpark':
        for (const container of this.ours) container.asleep = step.kind === 'park';
        return { kind: 'done' };
      case 'adopt':
        this.adoptedId = step.id;
        return { kind: 'done' };
      case 'read_end':
        return {
          kind: 'ended',
          trouble: trouble('engine_crashed', 'it ended'),
          outOfMemory: this.engine === 'out of memory',
        };
      case 'give_up':
        if (step.stop !== null) this.#end(step.stop, 143);
        return { kind: 'failed', trouble: trouble(step.code, step.detail) };
      default:
        return { kind: 'done' };
    }
  }

  #tellSleep(): StepResult {
    if (this.tellsSleep) return { kind: 'asleep', asleep: this.#running()?.asleep ?? false };
    return { kind: 'looked', look: { kind: 'silent', detail: 'GET /is_sleeping: 404' } };
  }

  #start(id: string): StepResult {
    const found = this.#find(id);
    if (found === undefined) return { kind: 'changed' };
    found.run = 'running';
    found.startedAtMs = this.nowMs;
    if (this.engine === 'crashes' || this.engine === 'out of memory') this.#end(id, 1);
    return { kind: 'done' };
  }

  #end(id: string, exitCode: number): void {
    const found = this.#find(id);
    if (found === undefined) return;
    found.run = 'ended';
    found.exitCode = exitCode;
    found.asleep = false;
    this.hear();
  }

  #remove(id: string): void {
    const at = this.containers.findIndex((container) => container.id === id);
    if (at !== -1) this.containers.splice(at, 1);
    this.hear();
  }

  #ask(kind: 'list_models' | 'check_health' | 'prove'): StepResult {
    if (this.#running() === undefined || this.engine === 'loads for ever') {
      return { kind: 'looked', look: { kind: 'refused', detail: 'refuses connections' } };
    }
    if (kind === 'check_health') return { kind: 'looked', look: { kind: 'healthy' } };
    if (kind === 'list_models') {
      const models = [{ id: this.wanted.servedModel, maxModelLen: 4_096 }];
      return { kind: 'looked', look: { kind: 'models', models, engineVersion: '0.11.0' } };
    }
    return this.engine === 'says nonsense'
      ? { kind: 'looked', look: { kind: 'proof_failed', detail: 'no token' } }
      : { kind: 'looked', look: { kind: 'proved' } };
  }

  /** From outside, as a person or a kernel does it. */
  byHand(what: 'kill' | 'remove' | 'pause' | 'start' | 'take the name'): void {
    const own = this.ours[0];
    if (what === 'take the name') {
      if (!this.containers.some(({ name }) => name === NAME)) this.add({ owner: 'foreign', specHash: null });
      this.hear();
      return;
    }
    if (own === undefined) return;
    if (what === 'kill' && own.run === 'running') this.#end(own.id, 137);
    else if (what === 'remove') this.#remove(own.id);
    else if (what === 'pause' && own.run === 'running') own.run = 'paused';
    else if (what === 'start' && own.run !== 'running') this.#start(own.id);
    this.hear();
  }

  /** Foreign containers leave. */
  clearForeign(): void {
    for (const { id } of this.containers.filter(({ owner }) => owner === 'foreign')) this.#remove(id);
  }
}
