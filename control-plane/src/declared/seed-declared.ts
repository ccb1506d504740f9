import { compareDeclared, type DeclaredDifference } from './decide/list-declared-objects.js';
import type { DeclaredSource, DeclaredState } from './declared-state.js';
import type { FabricFileResult } from './parse-fabric-text.js';
import { readFabricFile } from './read-fabric-file.js';

/** As much of the registry as seeding needs. */
export interface SeedTarget extends DeclaredSource {
  replace(next: DeclaredState, expectedRevision: number): { readonly ok: boolean };
}

export type SeedOutcome =
  | { readonly kind: 'seeded'; readonly revision: number }
  /** The registry says what the file says. */
  | { readonly kind: 'in_step' }
  /** The registry was declared before and differs: it is what counts, until somebody applies the file. */
  | { readonly kind: 'drift'; readonly differences: readonly DeclaredDifference[] }
  /** Nothing was changed. With an empty registry there is then nothing to serve. */
  | { readonly kind: 'invalid'; readonly result: Extract<FabricFileResult, { ok: false }> };

/**
 * Declares what a fabric file says if nothing was ever declared, else compares the two.
 *
 * @throws {RegistryError} when the registry cannot be written
 */
export function seedDeclared(registry: SeedTarget, fabricFile: string): SeedOutcome {
  const result = readFabricFile(fabricFile);
  if (!result.ok) return { kind: 'invalid', result };
  const before = registry.current();
  if (before.revision === 0 && registry.replace(result.state, 0).ok) {
    return { kind: 'seeded', revision: registry.current().revision };
  }
  const differences = compareDeclared(registry.current(), result.state);
  return differences.length === 0 ? { kind: 'in_step' } : { kind: 'drift', differences };
}
