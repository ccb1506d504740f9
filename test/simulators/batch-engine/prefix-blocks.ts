/** A stretch of a prompt that other prompts may begin with too, such as a system prompt or an earlier turn. */
export interface PrefixPiece {
  readonly id: string;
  readonly tokens: number;
}

/** What vLLM shares between prompts, in whole blocks only. */
const BLOCK_TOKENS = 16;

interface Kept {
  readonly tokens: number;
  users: number;
}

/**
 * The prefix cache of an engine: pieces that were computed, kept until their place is needed, the least recently used
 * and of one prompt the deepest first to go. Pieces in use stay. A piece goes as a whole, where an engine gives it up
 * block by block.
 */
export class PrefixBlocks {
  readonly #kept = new Map<string, Kept>();
  /** Of `#kept`, those that nobody uses, the next to go ahead. */
  readonly #idle = new Map<string, Kept>();
  #idleTokens = 0;

  /** Tokens that are kept and in nobody's use. */
  get idleTokens(): number {
    return this.#idleTokens;
  }

  /** How many of the first pieces are kept without a gap. */
  match(pieces: readonly PrefixPiece[]): number {
    let count = 0;
    for (const { id } of pieces) {
      if (!this.#kept.has(id)) break;
      count += 1;
    }
    return count;
  }

  /** Takes the first pieces in use. @returns tokens that nobody else used before: they are to be counted now */
  use(pieces: readonly PrefixPiece[], count: number): number {
    let fresh = 0;
    for (const { id } of pieces.slice(0, count)) {
      const kept = this.#kept.get(id);
      if (kept === undefined) continue;
      if (kept.users === 0) {
        this.#idle.delete(id);
        this.#idleTokens -= kept.tokens;
        fresh += kept.tokens;
      }
      kept.users += 1;
    }
    return fresh;
  }

  /** A piece was computed by who uses it. @returns false where another uses the same: it is then shared */
  add({ id, tokens }: PrefixPiece): boolean {
    const known = this.#kept.get(id);
    if (known === undefined) {
      this.#kept.set(id, { tokens, users: 1 });
      return true;
    }
    const isFresh = known.users === 0;
    if (isFresh) {
      this.#idle.delete(id);
      this.#idleTokens -= known.tokens;
    }
    known.users += 1;
    return isFresh;
  }

  /** One user less of the first pieces. @returns tokens that nobody uses any more */
  release(pieces: readonly PrefixPiece[], count: number): number {
    let freed = 0;
    for (let index = count - 1; index >= 0; index -= 1) {
      const id = pieces[index]?.id ?? '';
      const kept = this.#kept.get(id);
      if (kept === undefined) continue;
      kept.users -= 1;
      if (kept.users > 0) continue;
      freed += kept.tokens;
      this.#idle.set(id, kept);
      this.#idleTokens += kept.tokens;
    }
    return freed;
  }

  /** Keeps a piece that nobody uses. */
  keep({ id, tokens }: PrefixPiece): void {
    if (this.#kept.has(id)) return;
    const kept = { tokens, users: 0 };
    this.#kept.set(id, kept);
    this.#idle.set(id, kept);
    this.#idleTokens += tokens;
  }

  /** Gives up pieces until at most `most` tokens are idle. */
  shrinkTo(most: number): void {
    if (this.#idleTokens <= most) return;
    for (const [id, { tokens }] of this.#idle) {
      this.#idle.delete(id);
      this.#kept.delete(id);
      this.#idleTokens -= tokens;
      if (this.#idleTokens <= most) return;
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#idle.clear();
    this.#idleTokens = 0;
  }

  copy(): PrefixBlocks {
    const copy = new PrefixBlocks();
    for (const [id, { tokens, users }] of this.#kept) {
      const kept = { tokens, users };
      copy.#kept.set(id, kept);
    }
    for (const id of this.#idle.keys()) {
      const kept = copy.#kept.get(id);
      if (kept !== undefined) copy.#idle.set(id, kept);
    }
    copy.#idleTokens = this.#idleTokens;
    return copy;
  }
}

/** Tokens of the first pieces that need not be computed again: whole blocks. */
export function sharedTokens(pieces: readonly PrefixPiece[], count: number): number {
  let tokens = 0;
  for (let index = 0; index < count; index += 1) tokens += pieces[index]?.tokens ?? 0;
  return tokens - (tokens % BLOCK_TOKENS);
}
