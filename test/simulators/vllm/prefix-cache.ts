import { countTokens } from '../common/reply-text.js';
import { hashText } from '../common/seeded.js';

/**
 * vLLM's automatic prefix cache: prompts are cut into blocks, a block is known by its own text and all that
 * stands before it, the least recently used block goes first.
 */
export class PrefixCache {
  readonly #blockTokens: number;
  readonly #blockLimit: number;
  readonly #blocks = new Set<number>();

  constructor(blockTokens: number, blockLimit: number) {
    this.#blockTokens = blockTokens;
    this.#blockLimit = blockLimit;
  }

  /**
   * Looks a prompt up, and keeps it for the next one.
   *
   * @returns how many of its tokens were cached: whole blocks, and never the last token, which is always computed
   */
  take(prompt: string): number {
    const blockCharacters = Math.max(
      1,
      Math.floor((this.#blockTokens * prompt.length) / countTokens(prompt)),
    );
    let chain = 0;
    let hits = 0;
    let unbroken = true;
    for (let from = 0; from + blockCharacters <= prompt.length; from += blockCharacters) {
      chain = hashText(prompt.slice(from, from + blockCharacters), chain);
      unbroken &&= this.#blocks.delete(chain);
      if (unbroken) hits += 1;
      this.#blocks.add(chain);
    }
    this.#evict();
    return Math.min(hits * this.#blockTokens, countTokens(prompt) - 1);
  }

  get size(): number {
    return this.#blocks.size;
  }

  #evict(): void {
    for (const oldest of this.#blocks) {
      if (this.#blocks.size <= this.#blockLimit) return;
      this.#blocks.delete(oldest);
    }
  }
}
