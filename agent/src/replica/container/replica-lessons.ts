import type { VllmReplica } from '@ai-fabric/shared';
import { footprintName } from '../fit/footprint-name.js';
import type { KeptState } from './decide/container-state.js';
import { judgeParking } from './decide/describe-wanted.js';
import { isPhaseDone, isTimedPhase } from './decide/phase-times.js';
import type { KeptTools } from './kept-tools.js';

const WEIGHTS = 'weights';

/** What running a replica taught of its host: what it takes of a card, and with which fallbacks it got ready. */
export class ReplicaLessons {
  readonly #tools: Pick<KeptTools, 'memory' | 'recipe' | 'host'>;
  /** Used memory of its card before it started: what is more afterwards is its own. */
  #vramBefore: { readonly card: string; readonly bytes: number } | null = null;

  constructor(tools: Pick<KeptTools, 'memory' | 'recipe' | 'host'>) {
    this.#tools = tools;
  }

  /** Its container is about to start. */
  noteStart(deployment: string): void {
    const { memory, host } = this.#tools;
    const [card] = memory.replica(deployment).cards;
    const bytes = card === undefined ? null : host.vramUsedBytes(card);
    this.#vramBefore = card === undefined || bytes === null ? null : { card, bytes };
  }

  /** It got ready: what it took of its card holds for the next time. */
  learn(desired: VllmReplica, state: KeptState): void {
    const { memory, host } = this.#tools;
    const before = this.#vramBefore;
    const after = before === null ? null : host.vramUsedBytes(before.card);
    if (before !== null && after !== null && after > before.bytes && isOfDeclaration(state)) {
      memory.learnFootprint(before.card, footprintName(desired, state.rung), after - before.bytes);
    }
    this.#vramBefore = null;
    memory.update(desired.deployment, { restartsDone: state.restartsDone });
  }

  /** How long a phase took that has come to its end. @param nowMs monotonic */
  learnPhase({ model }: VllmReplica, before: KeptState, after: KeptState['phase'], nowMs: number): void {
    const { phase, sinceMs } = before;
    if (!isTimedPhase(phase) || !isPhaseDone(phase, after)) return;
    this.#tools.memory.addPhaseTime(model, phase, (nowMs - sinceMs) / 1_000);
  }

  /** Why it may not be parked, by what its weights take; `null`: it may. */
  parkingRefusal(desired: VllmReplica, rung: number): string | null {
    return judgeParking(desired, {
      memoryFreeBytes: this.#tools.host.memoryFreeBytes(),
      weightBytes: this.weightBytes(desired, rung),
    });
  }

  /** @param bytes of its weights, as its engine measured them */
  learnWeights(desired: VllmReplica, state: KeptState, bytes: number): void {
    if (!isOfDeclaration(state)) return;
    this.#tools.memory.learnFootprint(WEIGHTS, footprintName(desired, state.rung), bytes);
  }

  /** What the engine measured, else the files: of what never ran here that is the next best. `null` is unknown. */
  weightBytes(desired: VllmReplica, rung: number): number | null {
    const { memory } = this.#tools;
    const { model, revision } = desired;
    return (
      memory.footprint(WEIGHTS, footprintName(desired, rung)) ??
      memory.weights(model, revision)?.weightBytes ??
      memory.footprintOfModel(WEIGHTS, model)
    );
  }

  /** The cards that a container is to have. @returns true where its fallbacks were for another one */
  takeCards(deployment: string, cards: readonly string[]): boolean {
    const { memory } = this.#tools;
    const { rung } = memory.replica(deployment);
    memory.update(deployment, { cards: [...cards] });
    const [card] = cards;
    if (rung === null || rung.count === 0 || card === undefined) return false;
    return rung.card !== null && rung.card !== card;
  }

  /** Taken or proven: an agent that starts anew goes on with it. */
  rememberRung(desired: VllmReplica, count: number): void {
    const { memory, recipe } = this.#tools;
    const { deployment } = desired;
    const [card = null] = memory.replica(deployment).cards;
    memory.update(deployment, { rung: { baseHash: recipe.specHash(desired, 0), count, card } });
  }
}

/** A container that somebody else made, or that stands in for another, was made with other settings. */
function isOfDeclaration({ seen }: KeptState): boolean {
  return seen.kind === 'kept' && !seen.adopted && seen.standsIn === null;
}
