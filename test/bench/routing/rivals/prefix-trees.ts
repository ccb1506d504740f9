import { at } from '../at.js';
import type { LabRequest } from '../workload.js';

/** What a router remembers of the prompts it sent where. Nothing is ever forgotten: runs are shorter than its bounds. */
export class PrefixTrees {
  readonly #known: Set<string>[];
  readonly #tokens: number[];

  constructor(replicas: number) {
    this.#known = Array.from({ length: replicas }, () => new Set());
    this.#tokens = Array.from({ length: replicas }, () => 0);
  }

  /** The share of the prompt that begins as an earlier one at this replica did, 0 to 1. */
  match({ pieces, promptTokens }: LabRequest, replica: number): number {
    const known = at(this.#known, replica);
    let tokens = 0;
    for (const { id, tokens: of } of pieces) {
      if (!known.has(id)) break;
      tokens += of;
    }
    return tokens / promptTokens;
  }

  /** Tokens of different prompts that were sent to it. */
  size(replica: number): number {
    return at(this.#tokens, replica);
  }

  add(request: LabRequest, replica: number): void {
    const known = at(this.#known, replica);
    const { pieces, leaves, promptTokens } = request;
    let fresh = promptTokens;
    for (const { id, tokens } of pieces) {
      if (known.has(id)) fresh -= tokens;
      else known.add(id);
    }
    if (leaves !== null) known.add(leaves.id);
    this.#tokens[replica] = this.size(replica) + fresh;
  }
}
