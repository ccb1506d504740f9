import type { ReplicaPhase } from '@ai-fabric/shared';
import type { Observed } from './describe-progress.js';

export const WAIT_GOALS = ['ready', 'stopped', 'parked'] as const;
export type WaitGoal = (typeof WAIT_GOALS)[number];

export type WaitVerdict =
  | { readonly kind: 'reached' }
  | { readonly kind: 'waiting' }
  /** It will not come by itself. */
  | { readonly kind: 'hopeless'; readonly reason: string; readonly fix: string };

export interface WaitFacts {
  readonly name: string;
  readonly engine: 'external' | 'vllm';
  /** `null`: an external engine, of which nothing is wished. */
  readonly wish: 'running' | 'parked' | 'stopped' | null;
  readonly hostPresence: 'online' | 'late' | 'away' | 'unseen';
  readonly observed: Observed | null;
}

const WISHES = { ready: 'running', stopped: 'stopped', parked: 'parked' } as const;
const VERBS = { ready: 'start', stopped: 'stop', parked: 'park' } as const;

/**
 * Whether a deployment is what is waited for. What its host's agent told last is old while the host is away, so only
 * what a linked host tells counts. A failure is waited out: the agent tries again, and the deadline ends the wait.
 */
export function judgeWait(facts: WaitFacts, goal: WaitGoal): WaitVerdict {
  const { name, wish, observed } = facts;
  if (wish !== null && wish !== WISHES[goal]) {
    return {
      kind: 'hopeless',
      reason: `${name} is declared to be ${wish}, so it does not become ${goal}`,
      fix: `ai-fabric deployments ${VERBS[goal]} ${name}`,
    };
  }
  if (wish === null && goal !== 'ready') {
    return {
      kind: 'hopeless',
      reason: `${name} has an external engine: whether it is ${goal} is not known`,
      fix: 'look where it is run',
    };
  }
  if (facts.hostPresence !== 'online' || observed === null) return { kind: 'waiting' };
  return PHASES[goal].includes(observed.status.phase) ? { kind: 'reached' } : { kind: 'waiting' };
}

/** An agent parks by stopping where the engine cannot let go of the card otherwise. */
const PHASES: Readonly<Record<WaitGoal, readonly ReplicaPhase[]>> = {
  ready: ['ready'],
  stopped: ['absent'],
  parked: ['parked', 'absent'],
};
