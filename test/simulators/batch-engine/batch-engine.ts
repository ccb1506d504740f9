import type { EngineShape } from './engine-shape.js';
import { PrefixBlocks, type PrefixPiece, sharedTokens } from './prefix-blocks.js';

/** What an engine is asked for. */
export interface EngineWork {
  readonly promptTokens: number;
  /** At least 1. */
  readonly answerTokens: number;
  /** What its prompt begins with, from the start. The last piece of its own is named by `leaves`. */
  readonly pieces: readonly PrefixPiece[];
  /** What stays in the cache of its own prompt and answer for a later prompt; `null`: nothing that comes again. */
  readonly leaves: PrefixPiece | null;
}

export interface EngineObserver<Work> {
  /** Tokens after the first one, all that came since the last call. */
  furtherTokens?(work: Work, count: number): void;
  firstToken(work: Work, nowMs: number): void;
  whole(work: Work, nowMs: number): void;
}

/** What the engine's gauges show at one moment. */
export interface EngineGauges {
  readonly running: number;
  readonly waiting: number;
  readonly kvUsageRatio: number;
}

interface Job<Work> {
  readonly work: Work;
  generated: number;
  /** Prompt tokens still to be computed; 0: it decodes. */
  left: number;
  /** Of `left`, in the iteration under way. */
  chunk: number;
  /** KV tokens of its own. */
  kv: number;
  /** First pieces of its prompt that it uses of the shared ones. */
  pinned: number;
}

/**
 * Continuous batching with chunked prefill as vLLM's scheduler does it: an iteration gives each running request that
 * has its prompt computed one token, fills the rest of its token budget with chunks of prompts, running ones first,
 * and then takes in waiting requests in order of arrival while slots and KV cache allow. It lasts
 * `iterationMs + decodingMs · decoding + promptTokenMs · prompt tokens`. A token that finds no KV room pushes out the
 * latest request, which waits at the front and is computed again.
 *
 * Form of the model: Sarathi-Serve (OSDI 24) and Vidur (MLSys 24); order and preemption: docs.vllm.ai, "Optimization".
 * Whole prompts are counted into the KV cache at admission, where vLLM counts them chunk by chunk.
 *
 * Has no clock and no timers: whoever drives it calls `end()` at `endsAtMs`. Iterations in which nothing can change are
 * done at once, and cut short by an arrival that changes something.
 */
export class BatchEngine<Work extends EngineWork> {
  readonly shape: EngineShape;
  readonly #skipsAhead: boolean;
  readonly #mostAheadMs: number;
  #prefixes = new PrefixBlocks();
  #running: Job<Work>[] = [];
  #waiting: Job<Work>[] = [];
  #kvUsed = 0;
  #startedAtMs = 0;
  #iterationMs = 0;
  #iterations = 0;
  #decoding = 0;
  #coldMs = 0;
  /** Requests that were pushed out and computed again. */
  preemptions = 0;
  /** When `end()` is due; `Infinity`: idle. */
  endsAtMs = Number.POSITIVE_INFINITY;

  /**
   * @param skipsAhead false: one iteration at a time, with the same result
   * @param mostAheadMs no further ahead than this at once: whoever wants to hear of tokens hears of them as late
   */
  constructor(shape: EngineShape, skipsAhead = true, mostAheadMs = Number.POSITIVE_INFINITY) {
    this.shape = shape;
    this.#skipsAhead = skipsAhead;
    this.#mostAheadMs = mostAheadMs;
  }

  get requests(): number {
    return this.#running.length + this.#waiting.length;
  }

  /** @returns false: as many wait as may */
  push(work: Work, nowMs: number): boolean {
    const { mostWaiting } = this.shape;
    if (mostWaiting !== null && this.#waiting.length >= mostWaiting) return false;
    const job: Job<Work> = { work, generated: 0, left: work.promptTokens, chunk: 0, kv: 0, pinned: 0 };
    this.#waiting.push(job);
    if (this.endsAtMs === Number.POSITIVE_INFINITY) this.#begin(nowMs);
    else if (this.#iterations > 1 && this.#waiting.length === 1 && this.#fits(job)) this.#cutAt(nowMs);
    return true;
  }

  /** The iteration under way is over, at `endsAtMs`; the next begins. */
  end(observer: EngineObserver<Work>): void {
    const nowMs = this.endsAtMs;
    this.#settle(nowMs, observer);
    this.#begin(nowMs);
  }

  /** When the iteration under way at `nowMs` ends; `nowMs` itself where it is idle. */
  iterationEndsAt(nowMs: number): number {
    if (this.endsAtMs === Number.POSITIVE_INFINITY) return nowMs;
    const done = Math.max(1, Math.ceil((nowMs - this.#startedAtMs) / this.#iterationMs));
    return this.#startedAtMs + Math.min(this.#iterations, done) * this.#iterationMs;
  }

  gauges(nowMs: number): EngineGauges {
    const done = this.endsAtMs === Number.POSITIVE_INFINITY ? 0 : this.#iterationsBy(nowMs);
    const kv = this.#kvUsed + done * this.#decoding;
    return {
      running: this.#running.length,
      waiting: this.#waiting.length,
      kvUsageRatio: Math.min(1, kv / this.shape.kvTokens),
    };
  }

  /** Prompt tokens of `work` that would have to be computed now. */
  uncachedTokens(work: Work): number {
    return Math.max(1, work.promptTokens - sharedTokens(work.pieces, this.#prefixes.match(work.pieces)));
  }

  /** Everything in it is lost, its caches too. @returns what it was asked for */
  crash(): Work[] {
    const lost = [...this.#running, ...this.#waiting].map(({ work }) => work);
    this.#running = [];
    this.#waiting = [];
    this.#prefixes.clear();
    this.#kvUsed = 0;
    this.endsAtMs = Number.POSITIVE_INFINITY;
    return lost;
  }

  /** Nobody wants it any more: it leaves with what it holds, at once. Nothing happens where it is not there. */
  drop(work: Work): void {
    const place = this.#running.findIndex((job) => job.work === work);
    const [job] = place < 0 ? [] : this.#running.splice(place, 1);
    if (job !== undefined) this.#free(job);
    this.#waiting = this.#waiting.filter((each) => each.work !== work);
  }

  /** Its next iteration takes this much longer: the first request of an engine that has just started. */
  chill(ms: number): void {
    this.#coldMs = ms;
  }

  /** The same engine in the same state, to be run on without the other noticing; warm, though: what is coldest is else never tried. */
  copy(): BatchEngine<Work> {
    const copy = new BatchEngine<Work>(this.shape);
    copy.#prefixes = this.#prefixes.copy();
    copy.#running = this.#running.map((job) => ({ ...job }));
    copy.#waiting = this.#waiting.map((job) => ({ ...job }));
    copy.#kvUsed = this.#kvUsed;
    copy.#startedAtMs = this.#startedAtMs;
    copy.#iterationMs = this.#iterationMs;
    copy.#iterations = this.#iterations;
    copy.#decoding = this.#decoding;
    copy.endsAtMs = this.endsAtMs;
    return copy;
  }

  #begin(nowMs: number): void {
    this.#makeRoom();
    const { shape } = this;
    const running = this.#running;
    let decoding = 0;
    for (const { left } of running) if (left === 0) decoding += 1;
    let budget = shape.tokensPerIteration - decoding;
    for (const job of running) {
      job.chunk = Math.min(budget, job.left);
      budget -= job.chunk;
    }
    while (budget > 0) {
      const job = this.#admit();
      if (job === null) break;
      job.chunk = Math.min(budget, job.left);
      budget -= job.chunk;
    }
    const prompt = shape.tokensPerIteration - decoding - budget;
    if (decoding + prompt === 0) {
      this.endsAtMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#decoding = decoding;
    this.#startedAtMs = nowMs;
    this.#iterationMs =
      shape.iterationMs + shape.decodingMs * decoding + shape.promptTokenMs * prompt + this.#coldMs;
    this.#iterations = prompt > 0 || this.#coldMs > 0 || !this.#skipsAhead ? 1 : this.#steadyIterations();
    this.#coldMs = 0;
    this.endsAtMs = nowMs + this.#iterations * this.#iterationMs;
  }

  /** For how many iterations the same requests decode and nothing else happens. */
  #steadyIterations(): number {
    let least = Math.floor((this.shape.kvTokens - this.#kvUsed) / this.#decoding);
    least = Math.min(least, Math.floor(this.#mostAheadMs / this.#iterationMs));
    for (const { work, generated } of this.#running) least = Math.min(least, work.answerTokens - generated);
    return Math.max(1, least);
  }

  /** Takes in the request that waits longest, or returns `null`. */
  #admit(): Job<Work> | null {
    const job = this.#waiting[0];
    if (job === undefined || !this.#fits(job)) return null;
    this.#waiting.shift();
    const { pieces, promptTokens } = job.work;
    const pinned = this.#prefixes.match(pieces);
    const shared = sharedTokens(pieces, pinned);
    job.pinned = pinned;
    job.left = Math.max(1, promptTokens + job.generated - shared);
    job.kv = job.left;
    this.#count(job.kv + this.#prefixes.use(pieces, pinned));
    this.#running.push(job);
    return job;
  }

  #fits({ work, generated }: Job<Work>): boolean {
    if (this.#running.length === 0) return true;
    if (this.#running.length >= this.shape.slots) return false;
    const needed =
      work.promptTokens + generated - sharedTokens(work.pieces, this.#prefixes.match(work.pieces));
    return this.#kvUsed + needed + this.#running.length <= this.shape.kvTokens;
  }

  /** One more token for each request that decodes. */
  #makeRoom(): void {
    const running = this.#running;
    let decoding = 0;
    for (const { left } of running) if (left === 0) decoding += 1;
    while (running.length > 1 && this.#kvUsed + decoding > this.shape.kvTokens) {
      const last = running.pop();
      if (last === undefined) return;
      if (last.left === 0) decoding -= 1;
      this.#free(last);
      last.left = last.work.promptTokens + last.generated;
      last.chunk = 0;
      this.#waiting.unshift(last);
      this.preemptions += 1;
    }
  }

  #settle(nowMs: number, observer: EngineObserver<Work>): void {
    const before = this.#running;
    const after: Job<Work>[] = [];
    const whole: Job<Work>[] = [];
    const first: Job<Work>[] = [];
    for (const job of before) {
      if (job.left === 0) {
        job.generated += this.#iterations;
        job.kv += this.#iterations;
        this.#kvUsed += this.#iterations;
        observer.furtherTokens?.(job.work, this.#iterations);
      } else if (job.chunk > 0) {
        job.left -= job.chunk;
        if (job.left === 0) {
          this.#share(job);
          job.generated += 1;
          if (job.generated === 1) first.push(job);
          else observer.furtherTokens?.(job.work, 1);
        }
      }
      (job.generated >= job.work.answerTokens ? whole : after).push(job);
    }
    this.#running = after;
    // What is kept for later makes way for the last tokens too, before those who end give their room back.
    this.#count(0);
    for (const job of whole) {
      this.#free(job);
      if (job.work.leaves !== null) this.#prefixes.keep(job.work.leaves);
    }
    this.#count(0);
    for (const { work } of first) observer.firstToken(work, nowMs);
    for (const { work } of whole) observer.whole(work, nowMs);
  }

  /** Its prompt is computed: the pieces of it that others may begin with are theirs too from now on. */
  #share(job: Job<Work>): void {
    const { pieces } = job.work;
    for (; job.pinned < pieces.length; job.pinned += 1) {
      const piece = pieces[job.pinned];
      if (piece === undefined) return;
      job.kv -= piece.tokens;
      if (!this.#prefixes.add(piece)) this.#kvUsed -= piece.tokens;
    }
  }

  #free(job: Job<Work>): void {
    this.#kvUsed -= job.kv + this.#prefixes.release(job.work.pieces, job.pinned);
    job.kv = 0;
    job.pinned = 0;
  }

  /** Takes KV room; what is merely kept for later makes way. */
  #count(tokens: number): void {
    this.#kvUsed += tokens;
    this.#prefixes.shrinkTo(Math.max(0, this.shape.kvTokens - this.#kvUsed));
  }

  #iterationsBy(nowMs: number): number {
    return Math.min(this.#iterations, Math.floor((nowMs - this.#startedAtMs) / this.#iterationMs));
  }

  /** An arrival changes the next iteration: the one under way is the last of the same kind. */
  #cutAt(nowMs: number): void {
    const done = Math.ceil((nowMs - this.#startedAtMs) / this.#iterationMs);
    this.#iterations = Math.min(this.#iterations, Math.max(1, done));
    this.endsAtMs = this.#startedAtMs + this.#iterations * this.#iterationMs;
  }
}
