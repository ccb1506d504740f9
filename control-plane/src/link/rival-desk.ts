import type { Clock } from '@ai-fabric/shared';
import type { LinkEvent } from './decide/link-lifecycle.js';
import { type Rival, type RivalEvent, type Rivalry, settleRivals } from './decide/settle-rivals.js';

/** What the desk makes happen. */
export interface RivalEffects {
  /** Asks the host's present link for a sign of life. */
  ask(hostName: string): void;
  tell(linkId: number, event: LinkEvent): void;
  /** Another agent with this identity lives. */
  refuse(hostName: string, linkId: number): void;
}

/** Keeps, for each host that two agents claim, who waits for whom. */
export class RivalDesk {
  readonly #clock: Clock;
  readonly #effects: RivalEffects;
  readonly #rivalries = new Map<string, Rivalry>();

  constructor(clock: Clock, effects: RivalEffects) {
    this.#clock = clock;
    this.#effects = effects;
  }

  get count(): number {
    return this.#rivalries.size;
  }

  came(hostName: string, incumbentId: number, rival: Rival): void {
    this.#settle(hostName, { type: 'rival_came', incumbentId, rival });
  }

  left(hostName: string, linkId: number): void {
    this.#settle(hostName, { type: 'rival_left', linkId });
  }

  /** A link of this host showed that it lives. */
  spoke(hostName: string, linkId: number): void {
    if (this.#rivalries.get(hostName)?.incumbentId === linkId)
      this.#settle(hostName, { type: 'incumbent_spoke' });
  }

  /** An agent that had proved itself at once took the host: who waits for its silence waits in vain. */
  taken(hostName: string): void {
    this.#settle(hostName, { type: 'incumbent_spoke' });
  }

  incumbentLeft(hostName: string): void {
    this.#settle(hostName, { type: 'incumbent_left' });
  }

  tick(): void {
    for (const hostName of this.#rivalries.keys()) this.#settle(hostName, { type: 'tick' });
  }

  #settle(hostName: string, event: RivalEvent): void {
    const before = this.#rivalries.get(hostName) ?? null;
    if (!before && event.type !== 'rival_came') return;
    const decision = settleRivals(before, event, this.#clock.monotonicMs());
    if (decision.rivalry) this.#rivalries.set(hostName, decision.rivalry);
    else this.#rivalries.delete(hostName);
    if (decision.ask) this.#effects.ask(hostName);
    for (const linkId of decision.superseded) {
      this.#effects.tell(linkId, { type: 'evict', reason: 'superseded', detail: 'This agent came again.' });
    }
    if (decision.winner !== null) this.#effects.tell(decision.winner, { type: 'won' });
    for (const linkId of decision.refused) this.#effects.refuse(hostName, linkId);
  }
}
