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
  readonly lengths: LengthState;
  readonly keys: Map<string, UsedKey>;
}

interface UsedKey extends KeyLength {
  usedAt: number;
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
    let known = this.#roles.get(role);
    if (known === undefined) {
      known = { lengths: freshLengths(), keys: new Map() };
      this.#roles.set(role, known);
    }
    learnLength(known.lengths, tokens, this.#settings);
    let own = known.keys.get(key);
    if (own === undefined) {
      own = { mean: 0, answers: 0, usedAt: 0 };
      known.keys.set(key, own);
      this.#keyCount += 1;
    }
    learnKeyLength(own, tokens, this.#settings);
    this.#uses += 1;
    own.usedAt = this.#uses;
    if (this.#keyCount > this.#settings.mostKeys) this.#forgetKeys();
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
