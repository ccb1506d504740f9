interface KeptChange {
  readonly seq: number;
  readonly bytes: Buffer;
}

/** The last changes of a stream as they were sent, without a gap, for who was cut off for a moment. */
export class KeptChanges {
  readonly #changes: KeptChange[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(seq: number, bytes: Buffer): void {
    this.#changes.push({ seq, bytes });
    this.#bytes += bytes.length;
  }

  dropOldest(): void {
    this.#bytes -= this.#changes.shift()?.bytes.length ?? 0;
  }

  /** What brings a holder of `seq` to the last one. `null`: not all of it is kept. */
  since(seq: number, lastSeq: number): readonly Buffer[] | null {
    if (seq === lastSeq) return [];
    const start = this.#changes.findIndex((change) => change.seq === seq + 1);
    return start === -1 ? null : this.#changes.slice(start).map(({ bytes }) => bytes);
  }
}
