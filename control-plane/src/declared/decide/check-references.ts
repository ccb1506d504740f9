import { checkDeployments } from './check-deployments.js';
import { checkRole } from './check-role.js';
import type { DeclaredFinding } from './declared-finding.js';
import { describeText } from './describe-value.js';
import type { FabricDraft } from './draft-fabric.js';
import { suggestName } from './suggest-name.js';

/** A host's agent is sent all its deployments in one command, which holds this many. */
const MAX_DEPLOYMENTS_PER_HOST = 64;

/** What no entry can tell by itself: references, names used twice, and roles whose targets do not fit together. */
export function checkReferences(draft: FabricDraft): DeclaredFinding[] {
  return [
    ...checkHosts(draft),
    ...checkDeployments(draft),
    ...[...draft.roles].flatMap(([name, role]) => checkRole(draft, name, role)),
    ...checkAliases(draft),
    ...checkNames(draft),
  ];
}

function checkHosts(draft: FabricDraft): DeclaredFinding[] {
  const findings: DeclaredFinding[] = [];
  const counts = new Map<string, number>();
  for (const [name, { host }] of draft.deploymentFields) {
    if (host === null) continue;
    const path = ['deployments', name, 'host'];
    if (!draft.hosts.has(host)) {
      findings.push({
        path,
        message: `unknown host ${describeText(host)}${suggestName(host, draft.hosts.keys())}`,
      });
    }
    const count = (counts.get(host) ?? 0) + 1;
    counts.set(host, count);
    if (count === MAX_DEPLOYMENTS_PER_HOST + 1) {
      findings.push({
        path,
        message: `expected at most ${MAX_DEPLOYMENTS_PER_HOST} deployments on one host`,
      });
    }
  }
  return findings;
}

function checkAliases(draft: FabricDraft): DeclaredFinding[] {
  const findings: DeclaredFinding[] = [];
  for (const [alias, target] of draft.aliases) {
    if (target === null || draft.roles.has(target) || draft.deployments.has(target)) continue;
    const path = ['aliases', alias];
    if (draft.aliases.has(target)) {
      const message =
        target === alias
          ? 'expected a role or a deployment, found the alias itself; name what it stands for'
          : `expected a role or a deployment, found the alias ${describeText(target)}; name what that one stands for`;
      findings.push({ path, message });
      continue;
    }
    const known = [...draft.roles.keys(), ...draft.deployments.keys()];
    findings.push({
      path,
      message: `unknown role or deployment ${describeText(target)}${suggestName(target, known)}`,
    });
  }
  return findings;
}

/** Clients send one name: what it stands for must not depend on where we look first. */
function checkNames(draft: FabricDraft): DeclaredFinding[] {
  const taken = new Map<string, string>();
  const findings: DeclaredFinding[] = [];
  const take = (name: string, what: string, path: readonly string[]) => {
    const before = taken.get(name);
    if (before === undefined) taken.set(name, what);
    else findings.push({ path, atKey: true, message: `the name "${name}" is already that of ${before}` });
  };
  for (const name of draft.roles.keys()) take(name, 'a role', ['roles', name]);
  for (const [name, deployment] of draft.deployments) {
    if (deployment?.listed !== false) take(name, 'a deployment', ['deployments', name]);
  }
  for (const [provider, { models }] of draft.providers) {
    for (const model of models.keys()) {
      take(`${provider}/${model}`, "a provider's model", ['providers', provider, 'models', model]);
    }
  }
  for (const alias of draft.aliases.keys()) take(alias, 'an alias', ['aliases', alias]);
  return findings;
}
