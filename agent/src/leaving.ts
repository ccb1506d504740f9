import type { Logger } from 'pino';
import { HoldDownError } from './replica/hold-down-error.js';
import type { ReplicaKeepers } from './replica/replica-keepers.js';
import type { AgentStatus } from './status/agent-status.js';

export interface LeavingParts {
  readonly replicas: Pick<ReplicaKeepers, 'holdDown' | 'release'>;
  readonly log: Logger;
}

/** What requests that run have before an uninstall; the most that a person waits for in front of it. */
const LEAVE_DRAIN_SECONDS = 60;

/** Before an uninstall: requests that run are finished, then the engines are stopped. A new start of the agent forgets it. */
export class Leaving {
  readonly #replicas: LeavingParts['replicas'];
  readonly #log: Logger;
  #state: AgentStatus['leaving'] = null;

  constructor({ replicas, log }: LeavingParts) {
    this.#replicas = replicas;
    this.#log = log;
  }

  get state(): AgentStatus['leaving'] {
    return this.#state;
  }

  /** Goes on where it is under way or over, and begins anew where a replica did not end. */
  begin(): void {
    if (this.#state === 'draining' || this.#state === 'free') return;
    this.#state = 'draining';
    this.#log.info('agent: it is to be uninstalled: its replicas end');
    this.#replicas.holdDown('leaving', { action: 'stop', drainSeconds: LEAVE_DRAIN_SECONDS }).then(
      () => {
        this.#state = 'free';
      },
      (error: unknown) => {
        // It was given up, and may have begun anew since.
        if (error instanceof HoldDownError && error.code === 'released') return;
        this.#state = 'stuck';
        this.#log.warn({ error: String(error) }, 'agent: a replica does not end');
      },
    );
  }

  /** Nothing is taken away after all: replicas become what is declared again. */
  giveUp(): void {
    if (this.#state === null) return;
    this.#state = null;
    this.#log.info('agent: it is not uninstalled after all: its replicas come back');
    this.#replicas.release('leaving');
  }
}
