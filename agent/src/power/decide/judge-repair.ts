import type { DesiredReplica, Issue, IssueCode, ReplicaStatus } from '@ai-fabric/shared';

/** How the cards are after a sleep, by what the host itself sees. */
export type CardHealth =
  | { readonly kind: 'well' }
  /** Engines are starting, or being proven. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'broken'; readonly what: string };

const OF_THE_HOST: ReadonlySet<IssueCode> = new Set(['gpu_lost', 'driver_not_loaded', 'driver_hung']);
/** What a dead card looks like from a container. Others (no room, no image, no token of the hub) are no matter of it. */
const OF_A_REPLICA: ReadonlySet<string> = new Set([
  'gpu_not_in_container',
  'engine_proof_failed',
  'engine_crashed',
  'crash_looping',
  'load_timeout',
]);
const SETTLED: ReadonlySet<ReplicaStatus['phase']> = new Set(['ready', 'absent', 'parked', 'failed']);

/** Only what this agent keeps tells of the cards: an engine that others run may be away for reasons of its own. */
export function judgeRepair(
  desired: readonly DesiredReplica[],
  statuses: readonly ReplicaStatus[],
  issues: readonly Issue[],
): CardHealth {
  const host = issues.find(({ code }) => OF_THE_HOST.has(code));
  if (host !== undefined) return { kind: 'broken', what: `${host.code}: ${host.detail}` };
  const kept = new Set(desired.filter(({ engine }) => engine === 'vllm').map(({ deployment }) => deployment));
  const own = statuses.filter(({ deployment }) => kept.has(deployment));
  const broken = own.find(({ code }) => code !== null && OF_A_REPLICA.has(code));
  if (broken !== undefined) {
    return {
      kind: 'broken',
      what: `${broken.deployment}: ${broken.code}: ${broken.detail ?? 'no word of it'}`,
    };
  }
  return own.every(({ phase }) => SETTLED.has(phase)) ? { kind: 'well' } : { kind: 'pending' };
}
