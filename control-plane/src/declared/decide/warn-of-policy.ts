import { DEFAULT_AGENT_POLICY, judgePolicy } from '@ai-fabric/shared';
import type { DeclaredState } from '../declared-state.js';
import { desiredReplica } from './desired-replica.js';
import type { PlannedChange } from './plan-apply.js';
import type { PlanWarning } from './warn-of-hosts.js';

/** What an agent will refuse unless the owner of its host allows it, of what a plan adds or changes. */
export function warnOfPolicy(state: DeclaredState, changes: readonly PlannedChange[]): PlanWarning[] {
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
    const verdict = judgePolicy(desired, DEFAULT_AGENT_POLICY);
    if (verdict.allowed) continue;
    const message =
      `the agent on "${deployment.host}" will refuse "${deployment.name}" (${verdict.rule}: ${verdict.detail}) ` +
      "unless the host's owner allows it in agent.yaml";
    warnings.push({ code: 'policy_would_refuse', kind: 'deployment', name: deployment.name, message });
  }
  return warnings;
}
