import { DEFAULT_AGENT_POLICY, type HostPolicy, judgePolicy } from '@ai-fabric/shared';
import type { DeclaredState } from '../declared-state.js';
import { desiredReplica } from './desired-replica.js';
import type { PlannedChange } from './plan-apply.js';
import type { PlanWarning } from './warn-of-hosts.js';

/**
 * What an agent will refuse, of what a plan adds or changes.
 *
 * @param policies what the owners of hosts allow, as their agents told it; of any other host the default is taken
 */
export function warnOfPolicy(
  state: DeclaredState,
  changes: readonly PlannedChange[],
  policies: ReadonlyMap<string, HostPolicy>,
): PlanWarning[] {
  const named = new Set(
    changes
      .filter(({ kind, change }) => kind === 'deployment' && change !== 'removed')
      .map(({ name }) => name),
  );
  const warnings: PlanWarning[] = [];
  for (const deployment of state.deployments.values()) {
    if (!named.has(deployment.name)) continue;
    const desired = desiredReplica(deployment);
    if (desired.engine !== 'vllm') continue;
    const told = policies.get(deployment.host);
    const verdict = judgePolicy(desired, told ?? DEFAULT_AGENT_POLICY);
    if (verdict.allowed) continue;
    const refused = `the agent on "${deployment.host}" will refuse "${deployment.name}" (${verdict.rule}: ${verdict.detail})`;
    const message =
      told === undefined
        ? `${refused} unless the host's owner allows it in agent.yaml`
        : `${refused}: agent.yaml on that host, which only its owner can change, does not allow it`;
    warnings.push({ code: 'policy_would_refuse', kind: 'deployment', name: deployment.name, message });
  }
  return warnings;
}
