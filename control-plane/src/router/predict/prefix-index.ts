/** What a prompt begins with, at growing depths: a chain of hashes, so that each stands for all before it. */
export interface PrefixHashes {
  /** How many boundaries there are. */
  readonly length: number;
  /** 64 bits for each boundary, in two words, shallow first. */
  readonly words: Uint32Array;
  /** How many bytes of the prompt each of them covers. */
  readonly atBytes: Uint32Array;
}

export interface PrefixSettings {
  /** Boundaries that are remembered, of all replicas; a power of two. */
  readonly slots: number;
  /** Share of an engine's key-value cache that must have gone to it since for a prompt to count as pushed out. */
  readonly keptShare: number;
  /** Where the size of that cache is not known. */
  readonly unknownCapacityTokens: number;
}

/** Replicas that are remembered for one boundary, the latest ones. */
const WAYS = 8;
/** Slots that a boundary may stand in. */
const PROBES = 8;
const NOBODY = -1;

/**
 * Which replica was sent what, by hashes of what prompts begin with. Bounded: a few megabytes, whatever there is. How
 * long ago that was is counted in tokens that went there since, as an engine's cache forgets.
 */
export class PrefixIndex {
  readonly #settings: PrefixSettings;
  readonly #mask: number;
  readonly #words: Uint32Array;
  readonly #usedAt: Uint32Array;
  readonly #replicas: Int32Array;
  /** What had gone to that replica when it was sent there; wraps around. */
  readonly #sentAt: Uint32Array;
  /** By replica: tokens that went there since ever. */
  readonly #sent: number[] = [];
  #uses = 0;

  constructor(settings: PrefixSettings) {
    const { slots } = settings;
    this.#settings = settings;
    this.#mask = slots - 1;
    this.#words = new Uint32Array(2 * slots);
    this.#usedAt = new Uint32Array(slots);
    this.#replicas = new Int32Array(WAYS * slots).fill(NOBODY);
    this.#sentAt = new Uint32Array(WAYS * slots);
  }

  /**
   * A prompt went to a replica.
   *
   * @param tokens that the engine had to take in for it, its answer included
   */
  add(replica: number, prefix: PrefixHashes, tokens: number): void {
    this.#uses += 1;
    const sent = (this.#sent[replica] ?? 0) + tokens;
    this.#sent[replica] = sent;
    for (let at = 0; at < prefix.length; at++) {
      const slot = this.#take(prefix.words[2 * at] as number, prefix.words[2 * at + 1] as number);
      this.#note(slot * WAYS, replica, sent >>> 0);
    }
  }

  /** A prompt without hashes went there: it takes room too. */
  addUnknown(replica: number, tokens: number): void {
    this.#sent[replica] = (this.#sent[replica] ?? 0) + tokens;
  }

  /** Its engine has lost what it had. */
  forget(replica: number): void {
    this.#sent[replica] = (this.#sent[replica] ?? 0) + 2 ** 30;
  }

  /**
   * @param capacityOf a replica's key-value cache, in tokens; 0: not known
   * @param credits by replica, bytes of the prompt that it is believed to have; what is not set stays as it is
   * @returns the replica that has most of it, or -1
   */
  find(prefix: PrefixHashes, capacityOf: (replica: number) => number, credits: Float64Array): number {
    let deepest = NOBODY;
    for (let at = 0; at < prefix.length; at++) {
      const slot = this.#slotOf(prefix.words[2 * at] as number, prefix.words[2 * at + 1] as number);
      // The chain broke here: nothing deeper can be the same.
      if (slot < 0) break;
      const latest = this.#credit(slot * WAYS, prefix.atBytes[at] as number, capacityOf, credits);
      if (latest !== NOBODY) deepest = latest;
    }
    return deepest;
  }

  #credit(
    from: number,
    bytes: number,
    capacityOf: (replica: number) => number,
    credits: Float64Array,
  ): number {
    const { keptShare, unknownCapacityTokens } = this.#settings;
    let latest = NOBODY;
    for (let way = from; way < from + WAYS; way++) {
      const replica = this.#replicas[way] as number;
      if (replica === NOBODY) break;
      const since = (((this.#sent[replica] ?? 0) >>> 0) - (this.#sentAt[way] as number)) >>> 0;
      const capacity = capacityOf(replica) || unknownCapacityTokens;
      if (since > keptShare * capacity) continue;
      if (replica < credits.length) credits[replica] = bytes;
      if (latest === NOBODY) latest = replica;
    }
    return latest;
  }

  /** Puts a replica in front of those that are remembered for a boundary. */
  #note(from: number, replica: number, sentAt: number): void {
    const replicas = this.#replicas;
    let way = from;
    const last = from + WAYS - 1;
    while (way < last && replicas[way] !== replica && replicas[way] !== NOBODY) way++;
    for (; way > from; way--) {
      replicas[way] = replicas[way - 1] as number;
      this.#sentAt[way] = this.#sentAt[way - 1] as number;
    }
    replicas[from] = replica;
    this.#sentAt[from] = sentAt;
  }

  #slotOf(high: number, low: number): number {
    const words = this.#words;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (low + probe) & this.#mask;
      if (words[2 * slot] === high && words[2 * slot + 1] === low)
        return this.#usedAt[slot] === 0 ? -1 : slot;
    }
    return -1;
  }

  /** The slot of a boundary; where it has none, the one that was unused for longest makes way. */
  #take(high: number, low: number): number {
    const known = this.#slotOf(high, low);
    let slot = known;
    if (known < 0) {
      slot = low & this.#mask;
      for (let probe = 1; probe < PROBES; probe++) {
        const other = (low + probe) & this.#mask;
        if ((this.#usedAt[other] as number) < (this.#usedAt[slot] as number)) slot = other;
      }
      this.#words[2 * slot] = high;
      this.#words[2 * slot + 1] = low;
      this.#replicas.fill(NOBODY, slot * WAYS, slot * WAYS + WAYS);
    }
    this.#usedAt[slot] = this.#uses;
    return slot;
  }
}
