import { isDeepStrictEqual } from 'node:util';
import type {
  DesiredReplica,
  EngineReading,
  Issue,
  ReplicaFit,
  ReplicaGrowth,
  ReplicaProgress,
  ReplicaStatus,
  VllmReplica,
} from '@ai-fabric/shared';
import type { LogLine, LogOptions } from '../../containers/container-engine.js';
import { clipText } from '../../sensors/decide/describe-issue.js';
import type { Hold } from '../decide/combine-holds.js';
import type { EngineAddress } from '../engine-address.js';
import type { ReplicaKeeper } from '../replica-keeper.js';
import { CardHold } from './card-hold.js';
import { applyStepResult } from './decide/apply-step-result.js';
import { beginStep } from './decide/begin-step.js';
import { changeWanted } from './decide/change-wanted.js';
import { type KeptContainer, type KeptState, newKeptState } from './decide/container-state.js';
import type { ContainerStep } from './decide/container-step.js';
import { describeKept, type KeptFacts, keptIssues } from './decide/describe-kept.js';
import { describeWanted } from './decide/describe-wanted.js';
import { doubtKept } from './decide/doubt-kept.js';
import { isCardFree } from './decide/is-card-free.js';
import { containerName } from './decide/judge-container.js';
import { type Interruption, isIdle, judgeInterruption } from './decide/judge-interruption.js';
import { isAlike, keptSignature } from './decide/kept-signature.js';
import { isTimedPhase } from './decide/phase-times.js';
import { planContainerStep } from './decide/plan-container-step.js';
import type { PlanInput, Wanted } from './decide/plan-input.js';
import { EngineDoor } from './engine-door.js';
import { EngineReadings } from './engine-readings.js';
import type { KeptTools } from './kept-tools.js';
import { LoadWatch } from './load-watch.js';
import { ReplicaLessons } from './replica-lessons.js';
import type { FitAnswer } from './replica-recipe.js';
import { executeStep } from './step-executors.js';

export interface ContainerKeeperOptions {
  readonly desired: VllmReplica;
  readonly hold: Hold | null;
  readonly tools: KeptTools;
  readonly onChange: () => void;
}

interface UnderWay {
  readonly step: ContainerStep;
  readonly stop: AbortController;
}

/** Keeps one replica as a container. One loop owns its state; everybody else only wakes it. Starts at once. */
export class ContainerKeeper implements ReplicaKeeper {
  readonly #tools: KeptTools;
  readonly #onChange: () => void;
  readonly #closing = new AbortController();
  readonly #door: EngineDoor;
  readonly #watch: LoadWatch;
  readonly #readings: EngineReadings;
  readonly #lessons: ReplicaLessons;
  readonly #census: { stop(): void };
  readonly #hold: CardHold;
  #desired: VllmReplica;
  #removed = false;
  #wanted: Wanted;
  #state: KeptState;
  #underWay: UnderWay | null = null;
  #loop: Promise<void>;
  #pull: ReplicaProgress | null = null;
  #fit: ReplicaFit | null = null;
  #growth: ReplicaGrowth | null = null;
  /** Rises with all that is heard of its container and its declaration: what comes during a look is not covered by it. */
  #heard = 0;
  /** Of the container that was ready while it was to be reached directly. */
  #directId: string | null = null;
  /** What was judged is another than what is to be made. */
  #refit = false;
  #finished = false;
  #told = '';

  constructor({ desired, hold, tools, onChange }: ContainerKeeperOptions) {
    this.#hold = new CardHold(hold);
    this.#tools = tools;
    this.#onChange = onChange;
    this.#desired = desired;
    const { deployment } = desired;
    const known = tools.memory.replica(deployment);
    const baseHash = tools.recipe.specHash(desired, 0);
    const rung = known.rung?.baseHash === baseHash ? known.rung.count : 0;
    // Of a container that was there before us, nobody knows for how many restarts it stands: it is left running.
    const restartsDone = known.restartsDone ?? desired.restartCount;
    this.#state = newKeptState(tools.clock.monotonicMs(), { restartsDone, rung });
    this.#wanted = this.#describe();
    this.#door = new EngineDoor(tools);
    this.#lessons = new ReplicaLessons(tools);
    this.#readings = new EngineReadings(deployment, tools.clock, () => this.#wake('heard'));
    this.#watch = new LoadWatch({
      engine: tools.engine,
      log: tools.log,
      onProgress: (progress) => {
        this.#state = { ...this.#state, progress };
        this.#tell();
      },
      onWeights: (bytes) => this.#lessons.learnWeights(this.#desired, this.#state, bytes),
    });
    this.#census = tools.census.watch({
      concerns: ({ id, name }) => this.#concerns(id, name),
      happened: (died) => {
        this.#heard += 1;
        this.#state = { ...this.#state, stale: true };
        this.#wake(died ? 'died' : 'heard');
      },
    });
    this.#loop = this.#run();
  }

  status(): ReplicaStatus {
    return describeKept(this.#state, this.#facts());
  }

  issues(): readonly Issue[] {
    return [...keptIssues(this.#state, this.#facts()), ...this.#readings.issues(this.#isReady())];
  }

  reading(): EngineReading | null {
    return this.#isReady() ? this.#readings.latest() : null;
  }

  async refreshReading(): Promise<void> {
    if (!this.#isReady() || this.#closing.signal.aborted) return;
    await this.#readings.refresh(this.#door.address, this.#closing.signal);
    this.#tell();
  }

  /** `null` unless a request may be let in. */
  engineAddress(): EngineAddress | null {
    return this.#isReady() && this.#hold.current === null ? this.#door.address : null;
  }

  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> | null {
    const kept = this.#kept();
    return kept === null ? null : this.#tools.engine.logs(kept.id, options, signal);
  }

  /** The declaration changed, or came back. @returns false where it is not kept any more */
  change(desired: DesiredReplica): boolean {
    if (desired.engine !== 'vllm' || this.#finished || this.#closing.signal.aborted) return false;
    const isSame = !this.#removed && isDeepStrictEqual(desired, this.#desired);
    // What the host adds to a declaration may have changed: the address that it is reached at.
    const isMadeOtherwise = isSame && this.#describe().specHash !== this.#wanted.specHash;
    if (!isSame || isMadeOtherwise) this.#declare(desired, false);
    return true;
  }

  hold(hold: Hold | null): Promise<void> {
    const isOver = this.#finished || this.#closing.signal.aborted;
    if (!isOver && this.#hold.set(hold)) this.#declare(this.#desired, this.#removed);
    if (isOver || hold === null || this.#isCardFree()) return Promise.resolve();
    return this.#hold.whenFree();
  }

  doubt(): void {
    if (this.#finished || this.#closing.signal.aborted) return;
    // A proof that is under way began before.
    this.#heard += 1;
    this.#enter(doubtKept(this.#state, this.#tools.clock.monotonicMs()));
    this.#wake('slept');
  }

  /** The deployment is gone: drains, stops and removes what was made for it. Resolves when that is done. */
  async retire(): Promise<void> {
    this.#declare(this.#desired, true);
    await this.#loop;
  }

  /** Leaves the container as it is. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#census.stop();
    this.#watch.stop();
    this.#underWay?.stop.abort();
    this.#hold.tellFree();
    await this.#loop;
    this.#door.close();
    await this.#readings.close();
  }

  #declare(desired: VllmReplica, removed: boolean): void {
    const before = this.#wanted;
    const baseBefore = this.#tools.recipe.specHash(this.#desired, 0);
    this.#desired = desired;
    this.#removed = removed;
    // A look that is under way is one for the declaration before.
    this.#heard += 1;
    // Another declaration begins with its own settings, not with the last one's fallbacks.
    if (this.#tools.recipe.specHash(desired, 0) !== baseBefore) this.#state = { ...this.#state, rung: 0 };
    this.#wanted = this.#describe();
    this.#state = changeWanted(this.#state, before, this.#wanted, this.#tools.clock.monotonicMs());
    this.#fit = null;
    this.#growth = null;
    const same = before.image === this.#wanted.image && this.#wanted.wish === before.wish && !removed;
    if (this.#underWay?.step.kind !== 'pull' || !same) this.#wake('declared');
    this.#tell();
  }

  async #run(): Promise<void> {
    const { log, clock, random } = this.#tools;
    let spare: AbortController | null = null;
    while (!this.#closing.signal.aborted) {
      const step = planContainerStep(this.#input());
      const stop: AbortController = spare ?? new AbortController();
      this.#underWay = { step, stop };
      this.#enter(beginStep(this.#state, step, clock.monotonicMs()));
      if (this.#isCardFree()) this.#hold.tellFree();
      if (step.kind === 'start') this.#lessons.noteStart(this.#desired.deployment);
      const heardBefore = this.#heard;
      const result = await executeStep(this.#context(), step, stop.signal);
      this.#underWay = null;
      spare = isIdle(step.kind) && !stop.signal.aborted ? stop : null;
      if (this.#closing.signal.aborted) return;
      if (step.kind === 'pull') this.#pull = null;
      if (step.kind === 'finish' && this.#removed) break;
      if (result.kind === 'failed' || result.kind === 'ended') {
        const { code, detail } = result.trouble;
        log.warn(
          { deployment: this.#desired.deployment, step: step.kind, code, detail },
          'replica: a step failed',
        );
      }
      const context = { wanted: this.#wanted, nowMs: clock.monotonicMs(), lot: random() };
      const after = applyStepResult(this.#state, step, result, context);
      const judged = this.#refit ? { ...after, fitAtMs: null } : after;
      this.#refit = false;
      this.#enter(this.#heard === heardBefore ? judged : { ...judged, stale: true });
    }
    this.#finished = true;
    this.#census.stop();
    this.#watch.stop();
    this.#door.close();
    await this.#readings.close();
  }

  /** Also after it was declared otherwise: what is under way is. */
  #isAskedDirectly(): boolean {
    return this.#directId !== null && this.#kept()?.id === this.#directId;
  }

  #context(): Parameters<typeof executeStep>[0] {
    return {
      tools: this.#tools,
      desired: this.#desired,
      wanted: this.#wanted,
      rung: this.#state.rung,
      kept: this.#kept(),
      door: this.#door,
      engineLoad: this.#isAskedDirectly()
        ? (signal) => this.#readings.load(this.#door.address, signal)
        : null,
      onPull: ({ doneBytes, totalBytes, text }) => {
        this.#pull = { doneBytes, totalBytes, text: clipText(text, 200) };
        this.#tell();
      },
      onFit: (answer) => this.#takeFit(answer),
      onGrowth: (growth) => {
        this.#growth = growth;
        this.#tell();
      },
    };
  }

  #takeFit({ fit, cards }: FitAnswer): void {
    this.#fit = fit;
    if (this.#kept() !== null) return;
    // Fallbacks were for another card: this one is tried with what is declared, and judged for that.
    if (!this.#lessons.takeCards(this.#desired.deployment, cards)) return;
    this.#state = { ...this.#state, rung: 0 };
    this.#rememberRung();
    this.#refit = true;
  }

  #rememberRung(): void {
    this.#lessons.rememberRung(this.#desired, this.#state.rung);
    this.#wanted = this.#describe();
  }

  /** All that a new state brings with it. */
  #enter(after: KeptState): void {
    const before = this.#state;
    this.#state = after;
    // An idle replica is looked at again and again: what changes nothing costs nothing.
    if (isAlike(before, after)) return;
    if (after.rung !== before.rung) this.#rememberRung();
    const kept = this.#kept();
    if (after.phase === 'ready' && this.#desired.reach === 'direct') this.#directId = kept?.id ?? null;
    const { memory, log, clock } = this.#tools;
    const { deployment } = this.#desired;
    const key = kept?.adopted ? null : memory.replica(deployment).key;
    this.#door.moveTo(kept?.address ? { ...kept.address, key } : null);
    if (after.restartsDone !== before.restartsDone) {
      memory.update(deployment, { restartsDone: after.restartsDone });
    }
    if (after.phase !== before.phase) {
      this.#lessons.learnPhase(this.#desired, before, after.phase, clock.monotonicMs());
      const { phase, detail } = after;
      log.info({ deployment, phase, ...(detail === null ? {} : { detail }) }, `replica: ${phase}`);
      if (phase === 'ready') {
        this.#lessons.learn(this.#desired, after);
        this.#rememberRung();
      }
    }
    this.#follow();
    this.#tell();
  }

  /** While it loads its log tells how far it is; afterwards nobody reads it here. */
  #follow(): void {
    const { phase } = this.#state;
    const kept = this.#kept();
    const loads = phase === 'starting' || phase === 'loading' || phase === 'warming';
    if (loads && kept?.run === 'running') this.#watch.follow(kept.id, `${kept.id} ${kept.startedAtMs}`);
    else this.#watch.stop();
  }

  #input(): PlanInput {
    const { inFlight, clock, memory } = this.#tools;
    const { deployment, model, revision } = this.#desired;
    return {
      wanted: this.#wanted,
      state: this.#state,
      refusal: this.#refusal(),
      // Asked only where it matters: it takes a hash of all settings.
      parkingRefusal:
        this.#wanted.wish === 'parked' ? this.#lessons.parkingRefusal(this.#desired, this.#state.rung) : null,
      cacheIsWhole: memory.weights(model, revision)?.complete ?? null,
      // Of what does not pass this agent nobody knows that there is none.
      inFlight: this.#isAskedDirectly() ? 1 : inFlight.count(deployment),
      nowMs: clock.monotonicMs(),
    };
  }

  #refusal(): PlanInput['refusal'] {
    return this.#tools.recipe.refusal(this.#desired);
  }

  #facts(): KeptFacts {
    const { memory, clock } = this.#tools;
    const { phase } = this.#state;
    const { deployment, model, reach } = this.#desired;
    const isDirect = reach === 'direct' && !this.#removed;
    return {
      desired: this.#desired,
      refusal: this.#refusal(),
      pull: this.#pull,
      fit: this.#fit,
      growth: this.#growth,
      usual: isTimedPhase(phase) ? memory.usualTime(model, phase) : null,
      // The key of a container that somebody else made is not ours to tell.
      directKey: isDirect && this.#kept()?.adopted === false ? memory.replica(deployment).key : null,
      nowMs: clock.monotonicMs(),
    };
  }

  #describe(): Wanted {
    const hash = this.#tools.recipe.specHash(this.#desired, this.#state.rung);
    return describeWanted(this.#desired, hash, this.#removed, this.#hold.current);
  }

  #kept(): KeptContainer | null {
    return this.#state.seen.kind === 'kept' ? this.#state.seen : null;
  }

  #isCardFree(): boolean {
    return this.#underWay !== null && isCardFree(this.#state, this.#underWay.step.kind);
  }

  #isReady(): boolean {
    return this.#state.phase === 'ready';
  }

  #concerns(id: string, name: string): boolean {
    const { seen } = this.#state;
    if ('id' in seen && seen.id === id) return true;
    return name === (this.#desired.adopt ?? containerName(this.#desired.deployment));
  }

  #wake(by: Interruption): void {
    if (this.#underWay !== null && judgeInterruption(this.#underWay.step.kind, by))
      this.#underWay.stop.abort();
  }

  #tell(): void {
    const signature = keptSignature({
      status: this.status(),
      loading: this.#state.progress?.text ?? null,
      pull: this.#pull,
      issues: this.issues(),
      waiting: this.reading()?.waiting ?? null,
    });
    if (signature === this.#told) return;
    this.#told = signature;
    this.#onChange();
  }
}
