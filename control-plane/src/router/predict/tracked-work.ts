import type { AnswerLengths } from './answer-lengths.js';
import type { Work, WorkEnd } from './replica-work.js';

/** Whose request it is. */
export interface Asker {
  readonly role: string;
  readonly key: string;
  readonly choices: number;
}

/** A request at a target of any kind: how long its answer was is worth knowing wherever it was written. */
export class TrackedWork implements Work {
  readonly #lengths: AnswerLengths;
  readonly #asker: Asker;
  /** `null`: at a provider, of whose engine nothing is known. */
  readonly #work: Work | null;

  constructor(lengths: AnswerLengths, asker: Asker, work: Work | null) {
    this.#lengths = lengths;
    this.#asker = asker;
    this.#work = work;
  }

  firstByte(nowMs: number): void {
    this.#work?.firstByte(nowMs);
  }

  progressed(events: number): void {
    this.#work?.progressed(events);
  }

  ended(end: WorkEnd, nowMs: number): void {
    this.#work?.ended(end, nowMs);
    // Embeddings have none.
    if (end.kind !== 'whole' || end.completionTokens === null || end.completionTokens === 0) return;
    const { role, key, choices } = this.#asker;
    this.#lengths.learn(role, key, end.completionTokens / choices);
  }
}
