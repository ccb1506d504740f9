import type { Clock } from '@ai-fabric/shared';
import type { AgentStatus } from '../status/agent-status.js';

/** What is asked of a status. */
export type LeaveAnswer = Pick<AgentStatus, 'leaving'> & {
  readonly replicas: readonly Pick<AgentStatus['replicas'][number], 'deployment'>[];
};

/** Why replicas may run on; `problem`: of an agent that is there, and did not answer. */
export type LeaveFailure =
  | { readonly code: 'replica_not_ended'; readonly deployments: readonly string[] }
  | { readonly code: 'agent_silent'; readonly problem: string }
  | { readonly code: 'interrupted' };

export interface EndReplicasOptions {
  /** @returns `null` where nobody listens @throws Error where an agent may run, and cannot be asked */
  readonly ask: (verb: 'leave' | 'status') => Promise<LeaveAnswer | null>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly pause: (delayMs: number) => Promise<unknown>;
  /** Called once for each reason to wait. */
  readonly onWait: (why: 'draining' | 'silent') => void;
  readonly isInterrupted: () => boolean;
}

/** A minute for requests that run, and what an engine takes at most to end. */
const DRAIN_MS = 240_000;
const LOOK_EVERY_MS = 250;

/**
 * Has the running agent end its replicas. No answer is no proof that it is gone, for its replicas may be in the middle
 * of a request: only a socket on which nobody listens is.
 *
 * @returns `null` when no replica runs that an agent looks after
 */
export async function endReplicas(options: EndReplicasOptions): Promise<LeaveFailure | null> {
  const { ask, clock, pause, isInterrupted } = options;
  const onWait = onceEach(options.onWait);
  const giveUpAtMs = clock.monotonicMs() + DRAIN_MS;
  let verb: 'leave' | 'status' = 'leave';
  for (;;) {
    if (isInterrupted()) return { code: 'interrupted' };
    const answer: LeaveAnswer | string | null = await ask(verb).catch((error: unknown) => textOf(error));
    if (answer === null) return null;
    let failure: LeaveFailure;
    if (typeof answer === 'string') {
      onWait('silent');
      failure = { code: 'agent_silent', problem: answer };
    } else {
      if (answer.leaving === 'free') return null;
      failure = {
        code: 'replica_not_ended',
        deployments: answer.replicas.map(({ deployment }) => deployment),
      };
      if (answer.leaving === 'stuck') return failure;
      if (answer.leaving === 'draining' && answer.replicas.length > 0) onWait('draining');
      // One that started anew meanwhile has forgotten it.
      verb = answer.leaving === null ? 'leave' : 'status';
    }
    if (clock.monotonicMs() >= giveUpAtMs) return failure;
    await pause(LOOK_EVERY_MS);
  }
}

function onceEach<Value>(call: (value: Value) => void): (value: Value) => void {
  const called = new Set<Value>();
  return (value) => {
    if (called.has(value)) return;
    called.add(value);
    call(value);
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
