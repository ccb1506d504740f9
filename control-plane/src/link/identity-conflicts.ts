import type { Issue } from '@ai-fabric/shared';
import type { LiveState } from '../live/live-state.js';
import { CONFLICT_CLEARS_AFTER_MS } from './decide/link-limits.js';

/** Hosts whose key somebody else has too: raised with each refused try, cleared after an hour without one. */
export class IdentityConflicts {
  readonly #live: Pick<LiveState, 'raiseIssue' | 'clearIssue'>;
  /** By host: the last try, monotonic. At most one for each enrolled host. */
  readonly #lastTryAtMs = new Map<string, number>();

  constructor(live: Pick<LiveState, 'raiseIssue' | 'clearIssue'>) {
    this.#live = live;
  }

  raise(hostName: string, linkedFrom: string, triedFrom: string, nowMs: number): void {
    this.#lastTryAtMs.set(hostName, nowMs);
    this.#live.raiseIssue(hostName, conflictIssue(linkedFrom, triedFrom));
  }

  /** An operator has dealt with it. */
  clear(hostName: string): void {
    if (this.#lastTryAtMs.delete(hostName)) this.#live.clearIssue(hostName, 'identity_in_use');
  }

  tick(nowMs: number): void {
    for (const [hostName, triedAtMs] of this.#lastTryAtMs) {
      if (nowMs - triedAtMs >= CONFLICT_CLEARS_AFTER_MS) this.clear(hostName);
    }
  }
}

function conflictIssue(linkedFrom: string, triedFrom: string): Issue {
  return {
    code: 'identity_in_use',
    subject: 'host',
    severity: 'error',
    detail: `A second agent with this host's key tried to link from ${triedFrom} while the one at ${linkedFrom} was alive. It was refused.`,
    fix: 'Stop the agent that does not belong there. On a copied machine, join again with a new token under a name of its own. If nobody copied this machine, its key was stolen: join this host again with a new token.',
  };
}
