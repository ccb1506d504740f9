import type { Logger } from 'pino';
import { planApply, planIsEmpty } from './decide/plan-apply.js';
import type { DeclaredSource, DeclaredState } from './declared-state.js';
import { formatFabricErrors } from './parse-fabric-text.js';
import { readFabricFile } from './read-fabric-file.js';

/** A fabric file that cannot be used where there is nothing else to go by. The message has a line per mistake. */
export class FabricFileError extends Error {
  override readonly name = 'FabricFileError';
  readonly fix = 'mend the file and start again; nothing was applied';
}

/** As much of the registry as seeding needs. */
export interface SeedTarget extends DeclaredSource {
  replace(next: DeclaredState, expectedRevision: number): { readonly ok: boolean };
}

/**
 * Refuses a file that a first start could not seed from, before that start has made anything.
 *
 * @throws {FabricFileError}
 */
export function refuseBadSeed(fabricFile: string | null): void {
  if (fabricFile === null) return;
  const file = readFabricFile(fabricFile);
  if (!file.ok) throw new FabricFileError(formatFabricErrors(file));
}

/**
 * Declares what a fabric file says if nothing was ever declared. Otherwise the registry is what counts, and the
 * file is only compared: a start never changes what was declared.
 *
 * @param fabricFile `null`: none was given
 * @returns whether the file says something else than the registry
 * @throws {FabricFileError} when the file is wrong and nothing was ever declared
 * @throws {RegistryError} when the registry cannot be written
 */
export function seedFromFile(fabricFile: string | null, registry: SeedTarget, log: Logger): boolean {
  if (fabricFile === null) return false;
  const file = readFabricFile(fabricFile);
  const before = registry.current();
  if (!file.ok) {
    const mistakes = formatFabricErrors(file);
    if (before.revision === 0) throw new FabricFileError(mistakes);
    log.error({ mistakes }, 'the fabric file is not valid; the registry, which was declared before, is used');
    return true;
  }
  if (before.revision === 0 && registry.replace(file.state, 0).ok) {
    log.info(
      { file: fabricFile, revision: registry.current().revision },
      'the registry was declared from the file',
    );
    return false;
  }
  const { plan } = planApply(before, file, { prune: false, enrolledHosts: new Set(), policies: new Map() });
  if (planIsEmpty(plan)) return false;
  const differences = [
    ...plan.changes.map(({ change, kind, name }) => `${kind} ${name}: ${change}`),
    ...plan.notInFile.map(({ kind, name }) => `${kind} ${name}: not in the file`),
  ];
  log.warn({ file: fabricFile, differences }, 'the fabric file differs from the registry, which is used');
  return true;
}
