import type { TelemetrySample } from '@ai-fabric/shared';

/** A sample that is kept until the control plane has it. */
export interface HeldSample {
  readonly atMs: number;
  /** As JSON: exact to count, and a third of the objects' memory. */
  readonly json: string;
}

/** What an entry costs beside its text: the object, its place in an array. */
const OVERHEAD_BYTES = 128;
/** Reports that lost samples on the way, and of which it is not known whether they arrived. */
const MAX_UNCERTAIN = 1_024;

/**
 * Every sample that the control plane is not known to have: those that wait, in the order of their time, and those
 * that were sent and not acknowledged. Bounded in bytes; the oldest go first, and are counted.
 */
export class SampleBuffer {
  readonly #maxBytes: number;
  #waiting: HeldSample[] = [];
  /** By the report that carried them. */
  readonly #sent = new Map<number, readonly HeldSample[]>();
  /** Samples that were dropped after they were sent: lost only if their report was. */
  readonly #uncertain = new Map<number, number>();
  #bytes = 0;
  #dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** In the order of time, oldest first. */
  get waiting(): readonly HeldSample[] {
    return this.#waiting;
  }

  get sentCount(): number {
    let count = 0;
    for (const samples of this.#sent.values()) count += samples.length;
    return count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Samples that the control plane will never have, since the agent's start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param sample later than every one before */
  push(sample: TelemetrySample): void {
    const held = { atMs: sample.atMs, json: JSON.stringify(sample) };
    this.#waiting.push(held);
    this.#bytes += sizeOf(held);
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  /** These went out with report `seq`. */
  markSent(samples: readonly HeldSample[], seq: number): void {
    const gone = new Set(samples);
    this.#waiting = this.#waiting.filter((held) => !gone.has(held));
    this.#sent.set(seq, samples);
  }

  /** The control plane has every report up to `seq`. */
  markArrived(seq: number): void {
    for (const [sentSeq, samples] of this.#sent) {
      if (sentSeq > seq) continue;
      for (const held of samples) this.#bytes -= sizeOf(held);
      this.#sent.delete(sentSeq);
    }
    for (const uncertainSeq of this.#uncertain.keys()) {
      if (uncertainSeq <= seq) this.#uncertain.delete(uncertainSeq);
    }
  }

  /** The link is gone: what was not acknowledged has to be sent again. */
  returnSent(): void {
    const returned = [...this.#sent.values()].flat();
    this.#sent.clear();
    this.#waiting = [...returned, ...this.#waiting].sort((a, b) => a.atMs - b.atMs);
    for (const count of this.#uncertain.values()) this.#dropped += count;
    this.#uncertain.clear();
  }

  /** These can never be sent. */
  discard(samples: readonly HeldSample[]): void {
    const gone = new Set(samples);
    this.#waiting = this.#waiting.filter((held) => !gone.has(held));
    for (const held of samples) this.#bytes -= sizeOf(held);
    this.#dropped += samples.length;
  }

  #dropOldest(): void {
    const waiting = this.#waiting[0];
    const sent = this.#oldestSent();
    if (sent && (!waiting || sent.held.atMs < waiting.atMs)) this.#dropSent(sent.seq, sent.held);
    else if (waiting) {
      this.#waiting.shift();
      this.#bytes -= sizeOf(waiting);
      this.#dropped += 1;
    }
  }

  #oldestSent(): { seq: number; held: HeldSample } | null {
    let oldest: { seq: number; held: HeldSample } | null = null;
    for (const [seq, [held]] of this.#sent) {
      if (held && (!oldest || held.atMs < oldest.held.atMs)) oldest = { seq, held };
    }
    return oldest;
  }

  #dropSent(seq: number, held: HeldSample): void {
    const rest = (this.#sent.get(seq) ?? []).slice(1);
    if (rest.length > 0) this.#sent.set(seq, rest);
    else this.#sent.delete(seq);
    this.#bytes -= sizeOf(held);
    this.#uncertain.set(seq, (this.#uncertain.get(seq) ?? 0) + 1);
    const [oldest] = this.#uncertain;
    if (this.#uncertain.size <= MAX_UNCERTAIN || !oldest) return;
    this.#uncertain.delete(oldest[0]);
    this.#dropped += oldest[1];
  }
}

function sizeOf(held: HeldSample): number {
  return held.json.length + OVERHEAD_BYTES;
}
