import type { Prediction, RequestSize } from './predict-types.js';

/** How a request ended at a replica. */
export type WorkEnd =
  | {
      readonly kind: 'whole';
      readonly promptTokens: number | null;
      readonly completionTokens: number | null;
      /** Of the prompt, what the engine had in its prefix cache; left out or `null`: not told. */
      readonly cachedTokens?: number | null;
      /** Its client did not read as fast as the engine wrote: its times say nothing. */
      readonly wasPaused: boolean;
    }
  | { readonly kind: 'broken' };

/** One request at a replica, from its sending to its end. Later calls than `ended` do nothing. */
export interface Work {
  /** The first token of a stream, or the first byte of a whole answer. */
  firstByte(nowMs: number): void;
  /** Events of a stream that came since the last call. */
  progressed(events: number): void;
  ended(end: WorkEnd, nowMs: number): void;
}

export interface SentRequest {
  readonly size: RequestSize;
  /** `null`: its length in bytes says nothing of its tokens. */
  readonly promptBytes: number | null;
  readonly streams: boolean;
  /** Answers that are asked for at once. */
  readonly choices: number;
  /** Of its prompt, what its engine is believed to have, before any doubt; left out: nothing. */
  readonly believedTokens?: number;
}

/** Whose request it is: told of all that becomes of it. */
export interface WorkOwner {
  firstByteOf(work: ReplicaWork, nowMs: number): void;
  eventsCame(events: number): void;
  endedAs(work: ReplicaWork, end: WorkEnd, nowMs: number): void;
}

/** `assumed`: its prompt counts as read though nothing of its answer has come. */
export type WorkPhase = 'unread' | 'assumed' | 'writing' | 'ended';

export class ReplicaWork implements Work {
  before: ReplicaWork | null = null;
  after: ReplicaWork | null = null;
  phase: WorkPhase = 'unread';
  dueMs = 0;
  firstMs = 0;
  decodingBefore = 0;
  readBefore = 0;
  events = 0;
  readonly sentMs: number;
  readonly streams: boolean;
  readonly choices: number;
  readonly promptBytes: number | null;
  readonly uncachedTokens: number;
  readonly believedTokens: number;
  readonly answerTokens: number;
  readonly kvTokens: number;
  readonly iterations: number;
  readonly #owner: WorkOwner;

  constructor(owner: WorkOwner, request: SentRequest, prediction: Prediction, nowMs: number) {
    this.#owner = owner;
    this.sentMs = nowMs;
    this.streams = request.streams;
    this.choices = request.choices;
    this.promptBytes = request.promptBytes;
    this.believedTokens = request.believedTokens ?? 0;
    const { promptTokens, cachedTokens, answerTokens } = request.size;
    // Whole numbers: their sums are exact, in whatever order they come and go.
    this.uncachedTokens = Math.ceil(prediction.uncachedTokens);
    this.answerTokens = Math.ceil(answerTokens);
    this.kvTokens = Math.ceil(promptTokens - cachedTokens / 2) + Math.ceil(answerTokens / 2);
    this.iterations = prediction.iterations;
  }

  firstByte(nowMs: number): void {
    if (this.streams) this.#owner.firstByteOf(this, nowMs);
  }

  progressed(events: number): void {
    if (this.phase === 'ended') return;
    this.events += events;
    this.#owner.eventsCame(events);
  }

  ended(end: WorkEnd, nowMs: number): void {
    if (this.phase !== 'ended') this.#owner.endedAs(this, end, nowMs);
  }
}
