import { type PrefixHashes, PrefixIndex, type PrefixSettings } from './prefix-index.js';

export interface AffinitySettings {
  readonly prefix: PrefixSettings;
  /** Sessions that are remembered, those that were used last. */
  readonly mostSessions: number;
  /** Share of a prompt that a replica must have had for it to be favoured without a session. */
  readonly leastShare: number;
}

/** What a request tells of what came before it. */
export interface AffinityHints {
  /** Hash of what its client calls the session; `null`: nothing. */
  readonly session: number | null;
  readonly prefix: PrefixHashes | null;
}

const NOBODY_FAVOURED = -1;

/** What is known of a request's past, by the numbers of replicas. One object, filled in again and again. */
export interface KnownPast {
  /** Bytes of its prompt that each replica is believed to have. */
  credits: Float64Array;
  /** -1: none. */
  favoured: number;
}

/** Where sessions and prompts went before. */
export class Affinity {
  readonly #settings: AffinitySettings;
  readonly #prefixes: PrefixIndex;
  /** Of each session the replica that served it last; the latest last. */
  readonly #sessions = new Map<number, number>();
  readonly #past: KnownPast = { credits: new Float64Array(64), favoured: NOBODY_FAVOURED };

  /** What `#past` tells of; `null`: of nothing that may be asked for again. */
  #askedFor: PrefixHashes | null = null;
  #askedOf = 0;

  constructor(settings: AffinitySettings) {
    this.#settings = settings;
    this.#prefixes = new PrefixIndex(settings.prefix);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /**
   * @param replicas how many numbers there are
   * @param promptBytes `null`: not known
   * @returns `null`: nothing is known of it. The next call fills the same object in
   */
  pastOf(
    hints: AffinityHints,
    promptBytes: number | null,
    replicas: number,
    capacityOf: (replica: number) => number,
  ): KnownPast | null {
    const { session, prefix } = hints;
    // Who has selected claims, with nothing between.
    if (prefix !== null && prefix === this.#askedFor && replicas === this.#askedOf) return this.#past;
    const served = session === null ? undefined : this.#sessions.get(session);
    if (served === undefined && (prefix === null || prefix.length === 0)) return null;
    const past = this.#past;
    this.#askedFor = null;
    if (past.credits.length < replicas) past.credits = new Float64Array(2 * replicas);
    else past.credits.fill(0, 0, replicas);
    let holder = NOBODY_FAVOURED;
    if (prefix !== null) holder = this.#prefixes.find(prefix, capacityOf, past.credits);
    if (holder >= 0 && (past.credits[holder] as number) < this.#settings.leastShare * (promptBytes ?? 0)) {
      holder = NOBODY_FAVOURED;
    }
    past.favoured = served ?? holder;
    this.#askedFor = prefix;
    this.#askedOf = replicas;
    return past;
  }

  /** @param tokens that its engine has to take in, the answer included */
  sent(hints: AffinityHints | undefined, replica: number, tokens: number): void {
    this.#askedFor = null;
    const prefix = hints?.prefix ?? null;
    if (prefix === null) this.#prefixes.addUnknown(replica, tokens);
    else this.#prefixes.add(replica, prefix, tokens);
    const session = hints?.session ?? null;
    if (session === null) return;
    this.#sessions.delete(session);
    this.#sessions.set(session, replica);
    if (this.#sessions.size <= this.#settings.mostSessions) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      return;
    }
  }

  /** Its engine starts anew: what it had is lost. */
  restarted(replica: number): void {
    this.#askedFor = null;
    this.#prefixes.forget(replica);
  }
}
