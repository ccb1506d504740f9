import type { FabricFile } from '../fabric-schema.js';
import type { DeclaredFinding } from './declared-finding.js';
import { describeText } from './describe-value.js';
import { modelIdentity } from './desired-replica.js';
import type { FabricDraft, RoleDraft } from './draft-fabric.js';
import { suggestName } from './suggest-name.js';

type TargetEntry = NonNullable<FabricFile['roles']>[string]['targets'][number];

interface KnownTarget {
  readonly label: string;
  readonly task: string;
  readonly servedModel: string;
}

const OWN_NAME = '; that is the role itself, and a role cannot be a target';

/** Whether a role's targets exist and can stand in for each other. */
export function checkRole(draft: FabricDraft, name: string, role: RoleDraft): DeclaredFinding[] {
  const findings: DeclaredFinding[] = [];
  const seen = new Map<string, number>();
  let first: KnownTarget | null = null;
  for (const [index, entry] of role.targets.entries()) {
    if (!entry) continue;
    const path = ['roles', name, 'targets', index];
    const label = targetLabel(entry);
    if (index === 0 && typeof entry.when?.whenWaitExceeds === 'number') {
      const message = 'expected none here: no target stands before the first, to be waited for';
      findings.push({ path: [...path, 'when', 'whenWaitExceeds'], message });
    }
    const before = seen.get(label);
    if (before !== undefined) findings.push({ path, message: `the same target as targets[${before}]` });
    seen.set(label, before ?? index);
    const missing = findMissing(draft, entry, path);
    if (missing) findings.push(missing);
    const known = missing ? null : describeTarget(draft, entry, label);
    if (!known) continue;
    findings.push(...compareTasks(role, known, path));
    if (role.task === 'embeddings' && first) findings.push(...compareModels(first, known, path));
    first ??= known;
  }
  return [
    ...findings,
    ...checkTimeouts(name, role),
    ...checkPatience(name, role),
    ...checkDimensions(name, role),
  ];
}

function targetLabel(entry: TargetEntry): string {
  return 'deployment' in entry ? entry.deployment : `${entry.provider}/${entry.model}`;
}

function findMissing(
  draft: FabricDraft,
  entry: TargetEntry,
  path: readonly (string | number)[],
): DeclaredFinding | null {
  if ('deployment' in entry) {
    const { deployment } = entry;
    if (draft.deployments.has(deployment)) return null;
    const hint = deployment === path[1] ? OWN_NAME : hintOtherKind(draft, deployment);
    const message = `unknown deployment ${describeText(deployment)}${hint}`;
    return { path: [...path, 'deployment'], message };
  }
  const provider = draft.providers.get(entry.provider);
  if (!provider) {
    const hint = suggestName(entry.provider, draft.providers.keys());
    return {
      path: [...path, 'provider'],
      message: `unknown provider ${describeText(entry.provider)}${hint}`,
    };
  }
  if (provider.models.has(entry.model)) return null;
  const hint = suggestName(entry.model, provider.models.keys());
  const message = `unknown model ${describeText(entry.model)} of provider "${entry.provider}"${hint}`;
  return { path: [...path, 'model'], message };
}

function hintOtherKind(draft: FabricDraft, name: string): string {
  if (draft.roles.has(name)) return '; that is a role, and a role cannot be a target';
  if (draft.aliases.has(name)) return '; that is an alias: name the deployment itself';
  const [provider = '', model = ''] = name.split('/');
  if (draft.providers.get(provider)?.models.has(model)) {
    return `; for a provider's model write { provider: ${provider}, model: ${model} }`;
  }
  return suggestName(name, draft.deployments.keys());
}

/** `null` for an entry whose mistakes leave open what it serves. */
function describeTarget(draft: FabricDraft, entry: TargetEntry, label: string): KnownTarget | null {
  if ('deployment' in entry) {
    const deployment = draft.deployments.get(entry.deployment);
    const serves = draft.deploymentFields.get(entry.deployment)?.serves;
    if (!deployment) return serves ? { label, ...serves } : null;
    return { label, task: deployment.task, servedModel: modelIdentity(deployment) };
  }
  const model = draft.providers.get(entry.provider)?.models.get(entry.model);
  return model ? { label, task: model.task, servedModel: model.model } : null;
}

function compareTasks(
  role: RoleDraft,
  target: KnownTarget,
  path: readonly (string | number)[],
): DeclaredFinding[] {
  if (role.task === null || target.task === role.task) return [];
  const message = `expected a target for ${role.task}, as the role is; "${target.label}" is for ${target.task}`;
  return [{ path, message }];
}

/** Two embedding models put the same text in different places: mixing them spoils every index built on the role. */
function compareModels(
  first: KnownTarget,
  target: KnownTarget,
  path: readonly (string | number)[],
): DeclaredFinding[] {
  if (target.servedModel === first.servedModel) return [];
  const message =
    `expected the model ${describeText(first.servedModel)} of "${first.label}": an embeddings role has one model, ` +
    `and the vectors of ${describeText(target.servedModel)} would not match`;
  return [{ path, message }];
}

function checkDimensions(name: string, { entry }: RoleDraft): DeclaredFinding[] {
  if (!entry || entry.dimensions === null || entry.task === 'embeddings') return [];
  const message = `expected no dimensions: the role is for ${entry.task}, and only embeddings are vectors`;
  return [{ path: ['roles', name, 'dimensions'], message }];
}

function checkTimeouts(name: string, { entry }: RoleDraft): DeclaredFinding[] {
  if (!entry || entry.totalTimeoutSeconds >= entry.firstByteTimeoutSeconds) return [];
  const message = `expected at least firstByteTimeoutSeconds (${entry.firstByteTimeoutSeconds}), found ${entry.totalTimeoutSeconds}`;
  return [{ path: ['roles', name, 'totalTimeoutSeconds'], message }];
}

function checkPatience(name: string, { entry }: RoleDraft): DeclaredFinding[] {
  const longest = entry?.longestPatienceSeconds ?? null;
  if (!entry || longest === null || longest >= entry.patienceSeconds) return [];
  const message = `expected at least patienceSeconds (${entry.patienceSeconds}), found ${longest}`;
  return [{ path: ['roles', name, 'longestPatienceSeconds'], message }];
}
