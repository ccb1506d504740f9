import type { Target } from '../../declared/declared-state.js';

type DeploymentTarget = Extract<Target, { kind: 'deployment' }>;
type ProviderTarget = Extract<Target, { kind: 'provider' }>;

export type TargetGroup =
  | { readonly kind: 'deployments'; readonly targets: readonly DeploymentTarget[] }
  | { readonly kind: 'provider'; readonly target: ProviderTarget };

/**
 * A role's targets as groups that compete: deployments that stand next to each other and are asked after the same wait
 * form one, each provider's model one of its own. A target named twice stands where it was named first.
 */
export function groupTargets(targets: readonly Target[]): TargetGroup[] {
  const groups: TargetGroup[] = [];
  const seen = new Set<string>();
  let open: DeploymentTarget[] | null = null;
  for (const target of targets) {
    const key = targetKey(target);
    if (seen.has(key)) continue;
    seen.add(key);
    if (target.kind === 'provider') {
      groups.push({ kind: 'provider', target });
      open = null;
    } else if (open === null || opensAfter(open[0]) !== opensAfter(target)) {
      open = [target];
      groups.push({ kind: 'deployments', targets: open });
    } else {
      open.push(target);
    }
  }
  return groups;
}

/** Seconds that the targets before it must take for it to be asked; `null`: it is not asked for its wait. */
export function opensAfter(target: Target | undefined): number | null {
  return target?.when?.whenWaitExceeds ?? null;
}

/** How a target is named everywhere: `deployment` or `provider/model`. A deployment's name holds no slash. */
export function targetKey(target: Target): string {
  return target.kind === 'deployment' ? target.deployment : `${target.provider}/${target.model}`;
}
