import { checkFabricValue } from '../declared/check-fabric-value.js';
import { type DeclaredFinding, formatPath } from '../declared/decide/declared-finding.js';
import {
  type SerialisedFabric,
  serialiseDeclaredState,
} from '../declared/decide/serialise-declared-state.js';
import type { ApiContext } from './api-context.js';
import { ApiError } from './problem.js';

const MAX_TOLD = 50;

/**
 * Applies one change to the declared state, checked as a whole file is: valid, or nothing.
 *
 * @param change edits the plain form that a fabric file holds
 * @param expectedRevision another one now is a conflict; left out: whatever is declared now is changed
 * @throws ApiError invalid, conflict; RegistryError when it cannot be written
 */
export function changeDeclared(
  context: ApiContext,
  change: (fabric: SerialisedFabric) => void,
  expectedRevision?: number,
): void {
  const before = context.declared.current();
  if (expectedRevision !== undefined && expectedRevision !== before.revision) {
    throw conflict(before.revision, expectedRevision);
  }
  const fabric = serialiseDeclaredState(before);
  change(fabric);
  const checked = checkFabricValue(fabric);
  if (!checked.ok) throw invalid(checked.findings);
  const result = context.declared.replace(checked.state, before.revision);
  if (result.ok) return;
  if (result.reason === 'invalid') throw invalid(result.findings);
  throw conflict(result.currentRevision, before.revision);
}

export function conflict(currentRevision: number, expectedRevision: number): ApiError {
  return new ApiError(
    'conflict',
    `the declared state was changed in between: it is at revision ${currentRevision}, not ${expectedRevision}; nothing was applied`,
    'read it again, then send the change again',
  );
}

export function invalid(findings: readonly DeclaredFinding[], fix: string | null = null): ApiError {
  const told = findings.slice(0, MAX_TOLD).map(({ path, message }) => `${formatPath(path)}: ${message}`);
  if (findings.length > MAX_TOLD) told.push(`… and ${findings.length - MAX_TOLD} more`);
  return new ApiError('invalid', told.join('; '), fix);
}
