import type { Clock, Issue } from '@ai-fabric/shared';
import type { LiveState } from '../live/live-state.js';
import { CONFLICT_CLEARS_AFTER_MS } from './decide/link-limits.js';

/** Who else came with a host's key, on the server's clock. */
export interface IdentityConflict {
  /**
   * `another_agent`: while the host was linked and alive. `another_key`: the same, of its machine, with a join token
   * and a key of its own. `another_machine`: whether it was or not.
   */
  readonly kind: 'another_agent' | 'another_key' | 'another_machine';
  /** Address of the host's own agent; `null` when it had no link. */
  readonly linkedFrom: string | null;
  readonly triedFrom: string;
  readonly firstTryMs: number;
  readonly lastTryMs: number;
  readonly tries: number;
}

interface Kept {
  readonly conflict: IdentityConflict;
  /** Monotonic. */
  readonly triedAtMs: number;
}

/** Hosts whose key somebody else has too: raised with each refused try, cleared after an hour without one. */
export class IdentityConflicts {
  readonly #live: Pick<LiveState, 'raiseIssue' | 'clearIssue'>;
  readonly #clock: Clock;
  /** By host. At most one for each enrolled host. */
  readonly #kept = new Map<string, Kept>();

  constructor(live: Pick<LiveState, 'raiseIssue' | 'clearIssue'>, clock: Clock) {
    this.#live = live;
    this.#clock = clock;
  }

  of(hostName: string): IdentityConflict | null {
    return this.#kept.get(hostName)?.conflict ?? null;
  }

  raise(hostName: string, tried: Pick<IdentityConflict, 'kind' | 'linkedFrom' | 'triedFrom'>): void {
    const before = this.of(hostName);
    const nowMs = this.#clock.nowMs();
    const { firstTryMs = nowMs, tries = 0 } = before ?? {};
    const conflict = { ...tried, firstTryMs, lastTryMs: nowMs, tries: tries + 1 };
    this.#kept.set(hostName, { conflict, triedAtMs: this.#clock.monotonicMs() });
    this.#live.raiseIssue(hostName, conflictIssue(conflict));
  }

  /** An operator has dealt with it. @returns false when there was none */
  clear(hostName: string): boolean {
    if (!this.#kept.delete(hostName)) return false;
    this.#live.clearIssue(hostName, 'identity_in_use');
    return true;
  }

  tick(nowMs: number): void {
    for (const [hostName, { triedAtMs }] of this.#kept) {
      if (nowMs - triedAtMs >= CONFLICT_CLEARS_AFTER_MS) this.clear(hostName);
    }
  }
}

function conflictIssue({ kind, linkedFrom, triedFrom }: IdentityConflict): Issue {
  if (kind === 'another_machine') {
    const own = linkedFrom === null ? 'which has no link now' : `which is linked from ${linkedFrom}`;
    return {
      code: 'identity_in_use',
      subject: 'host',
      severity: 'error',
      detail: `An agent with the key of this host, ${own}, tried to link from ${triedFrom} on another machine. It was refused.`,
      fix: 'If that is a copy of this machine, join it with a new token under a name of its own. If it is this host on new hardware or reinstalled, re-enrol it: ai-fabric hosts re-enrol. If nobody copied it, its key was stolen: re-enrol or revoke the host.',
    };
  }
  if (kind === 'another_key') {
    return {
      code: 'identity_in_use',
      subject: 'host',
      severity: 'error',
      detail: `A second agent on this host's machine tried to join under its name from ${triedFrom}, with a key of its own, while the one at ${linkedFrom ?? 'another address'} was alive. It was refused.`,
      fix: 'To install the agent anew, stop the one that runs and join again. To run a second one, join it with --name and a name of its own. To replace the key of the one that runs: ai-fabric hosts re-enrol.',
    };
  }
  return {
    code: 'identity_in_use',
    subject: 'host',
    severity: 'error',
    detail: `A second agent with this host's key tried to link from ${triedFrom} while the one at ${linkedFrom ?? 'another address'} was alive. It was refused.`,
    fix: 'Stop the agent that does not belong there. On a copied machine, join again with a new token under a name of its own. If nobody copied this machine, its key was stolen: re-enrol this host (ai-fabric hosts re-enrol).',
  };
}
