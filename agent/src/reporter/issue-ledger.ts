import type { Issue } from '@ai-fabric/shared';
import { mergeIssues } from './decide/merge-issues.js';

/**
 * The host's open issues. Each source says which ones it has now: what it does not name any more is cleared by that,
 * so that no issue can be left standing by a forgotten event.
 */
export class IssueLedger {
  readonly #bySource = new Map<string, readonly Issue[]>();
  #open: readonly Issue[] = [];

  /** The worst first; at most as many as a report takes. */
  get open(): readonly Issue[] {
    return this.#open;
  }

  /** @returns whether the open issues changed by it */
  state(source: string, issues: readonly Issue[]): boolean {
    if (issues.length === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, issues);
    const open = mergeIssues([...this.#bySource.values()]);
    if (JSON.stringify(open) === JSON.stringify(this.#open)) return false;
    this.#open = open;
    return true;
  }
}
