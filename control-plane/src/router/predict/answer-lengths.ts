import {
  expectLength,
  freshLengths,
  type KeyLength,
  type LengthSettings,
  type LengthState,
  learnKeyLength,
  learnLength,
} from './decide/learn-lengths.js';

interface RoleLengths {
  lengths: LengthState;
  hasChanged: boolean;
  readonly keys: Map<string, UsedKey>;
}

interface UsedKey extends KeyLength {
  usedAt: number;
  hasChanged: boolean;
}

/** What was learned since it was asked for last. */
export interface ChangedLengths {
  readonly role: string;
  /** `''`: the role's own. */
  readonly key: string;
  readonly lengths: LengthState;
  /** The key's; `null`: it is about the role. */
  readonly own: KeyLength | null;
}

/** How long the answers of each role are, and how each key's differ from that. */
export class AnswerLengths {
  readonly #settings: LengthSettings;
  readonly #roles = new Map<string, RoleLengths>();
  #keyCount = 0;
  #uses = 0;

  constructor(settings: LengthSettings) {
    this.#settings = settings;
  }

  get keyCount(): number {
    return this.#keyCount;
  }

  /** Tokens of one answer. @param maxTokens what the client allows; `null`: no bound */
  expect(role: string, key: string, maxTokens: number | null): number {
    const known = this.#roles.get(role);
    return expectLength(known?.keys.get(key) ?? null, known?.lengths ?? null, maxTokens, this.#settings);
  }

  /** @param tokens of one answer that was whole */
  learn(role: string, key: string, tokens: number): void {
    const known = this.#roleOf(role);
    learnLength(known.lengths, tokens, this.#settings);
    known.hasChanged = true;
    const own = this.#keyOf(known, key);
    learnKeyLength(own, tokens, this.#settings);
    own.hasChanged = true;
    if (this.#keyCount > this.#settings.mostKeys) this.#forgetKeys();
  }

  /** As an earlier program learned it. */
  restoreRole(role: string, lengths: LengthState): void {
    this.#roleOf(role).lengths = lengths;
  }

  restoreKey(role: string, key: string, { mean, answers }: KeyLength): void {
    const own = this.#keyOf(this.#roleOf(role), key);
    own.mean = mean;
    own.answers = Math.min(answers, this.#settings.mostOwn);
    if (this.#keyCount > this.#settings.mostKeys) this.#forgetKeys();
  }

  /** Each once: from then on it counts as unchanged. */
  *takeChanged(): Iterable<ChangedLengths> {
    for (const [role, known] of this.#roles) {
      const { lengths } = known;
      if (known.hasChanged) yield { role, key: '', lengths, own: null };
      known.hasChanged = false;
      for (const [key, own] of known.keys) {
        // The key without a name is nobody's: the role's record is there for it.
        if (own.hasChanged && key !== '') yield { role, key, lengths, own };
        own.hasChanged = false;
      }
    }
  }

  #roleOf(role: string): RoleLengths {
    let known = this.#roles.get(role);
    if (known === undefined) {
      known = { lengths: freshLengths(), hasChanged: false, keys: new Map() };
      this.#roles.set(role, known);
    }
    return known;
  }

  #keyOf(known: RoleLengths, key: string): UsedKey {
    let own = known.keys.get(key);
    if (own === undefined) {
      own = { mean: 0, answers: 0, usedAt: 0, hasChanged: false };
      known.keys.set(key, own);
      this.#keyCount += 1;
    }
    this.#uses += 1;
    own.usedAt = this.#uses;
    return own;
  }

  /** What is no longer declared is forgotten. */
  retain(isKept: (role: string) => boolean): void {
    for (const [role, { keys }] of this.#roles) {
      if (isKept(role)) continue;
      this.#keyCount -= keys.size;
      this.#roles.delete(role);
    }
  }

  /** Half of them at once, those unused for longest: no list has to be kept in order with each answer. */
  #forgetKeys(): void {
    const uses: number[] = [];
    for (const { keys } of this.#roles.values()) for (const { usedAt } of keys.values()) uses.push(usedAt);
    uses.sort((a, b) => a - b);
    const oldest = uses[uses.length >> 1] as number;
    for (const { keys } of this.#roles.values()) {
      for (const [key, { usedAt }] of keys) {
        if (usedAt >= oldest) continue;
        keys.delete(key);
        this.#keyCount -= 1;
      }
    }
  }
}
