/** Samples that were taken and whose ack may not have arrived. Beyond this the oldest are forgotten. */
const MAX_REMEMBERED = 8_192;

/**
 * Which samples of one agent process were taken, by the agent's own time. An agent sends again, on its next link,
 * what was not acknowledged; some of that was taken before the link broke. What the agent is known to know is
 * forgotten, so that this stays a few entries a host.
 *
 * Within one process the time of samples strictly rises. Live samples come in that order; a backfill comes beside
 * them and fills gaps anywhere below, so nothing may be taken for granted of what lies between two taken samples.
 * An ack covers what was sent on its own link: what an earlier link took unacknowledged comes again some time, and
 * is remembered until it has.
 */
export class SeenSamples {
  readonly instanceId: string;
  #newestLiveAtMs = Number.NEGATIVE_INFINITY;
  readonly #onEarlierLinks = new Set<number>();
  /** In the order in which this link sent them. */
  readonly #onThisLink = new Set<number>();
  #added = 0;
  #forgotten = 0;

  constructor(instanceId: string) {
    this.instanceId = instanceId;
  }

  get rememberedCount(): number {
    return this.#onEarlierLinks.size + this.#onThisLink.size;
  }

  /** Stands for all that this link sent up to now. */
  get mark(): number {
    return this.#added;
  }

  beginLink(): void {
    for (const atMs of this.#onThisLink) this.#onEarlierLinks.add(atMs);
    this.#onThisLink.clear();
    this.#added = 0;
    this.#forgotten = 0;
  }

  /** @returns false for a sample that was taken before */
  take(atMs: number, backfilled: boolean): boolean {
    if (this.#onThisLink.has(atMs)) return false;
    const isNew = !this.#onEarlierLinks.delete(atMs) && (backfilled || atMs > this.#newestLiveAtMs);
    this.#onThisLink.add(atMs);
    this.#added += 1;
    if (!backfilled && atMs > this.#newestLiveAtMs) this.#newestLiveAtMs = atMs;
    if (this.rememberedCount > MAX_REMEMBERED) this.#forgetOldest();
    return isNew;
  }

  /** The agent has the ack of all that this link sent up to `mark`: it will not send it again. */
  forgetThrough(mark: number): void {
    // A set gives its values in the order in which they came.
    for (const atMs of this.#onThisLink) {
      if (this.#forgotten >= mark) return;
      this.#onThisLink.delete(atMs);
      this.#forgotten += 1;
    }
  }

  #forgetOldest(): void {
    for (const atMs of this.#onEarlierLinks) {
      this.#onEarlierLinks.delete(atMs);
      return;
    }
    this.forgetThrough(this.#forgotten + 1);
  }
}
