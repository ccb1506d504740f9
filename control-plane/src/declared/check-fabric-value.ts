import { buildDeclaredState } from './decide/build-declared-state.js';
import { checkReferences } from './decide/check-references.js';
import type { DeclaredFinding } from './decide/declared-finding.js';
import { describeSchemaIssues } from './decide/describe-schema-issues.js';
import { draftFabric } from './decide/draft-fabric.js';
import type { DeclaredState } from './declared-state.js';
import { knownKeysAt } from './fabric-json-schema.js';
import { fabricFileSchema } from './fabric-schema.js';

export type FabricCheck =
  | { readonly ok: true; readonly state: DeclaredState }
  | { readonly ok: false; readonly findings: readonly DeclaredFinding[] };

/**
 * A plain value, from a file or the registry, as declared state of revision 0; or everything that is wrong with
 * it. Never throws.
 */
export function checkFabricValue(value: unknown): FabricCheck {
  const parsed = fabricFileSchema.safeParse(value);
  const findings = parsed.success
    ? []
    : describeSchemaIssues(parsed.error.issues, { root: value, knownKeys: knownKeysAt });
  findings.push(...checkReferences(draftFabric(value)));
  if (parsed.success && findings.length === 0) return { ok: true, state: buildDeclaredState(parsed.data) };
  return { ok: false, findings };
}
