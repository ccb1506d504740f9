import { isDeepStrictEqual } from 'node:util';
import { serialiseDeclaredState } from './declared/decide/serialise-declared-state.js';
import { formatFabricErrors } from './declared/parse-fabric-text.js';
import { readFabricFile } from './declared/read-fabric-file.js';
import type { DeclaredStore } from './registry/registry-types.js';
import { StartError } from './start-error.js';

/**
 * Seeds an empty registry with the file. A registry that holds something wins: the file is then only compared.
 *
 * @returns whether the file says something else than the registry
 * @throws StartError with every mistake of the file; nothing is applied then
 */
export function seedDeclared(file: string | null, declared: DeclaredStore): boolean {
  if (file === null) return false;
  const read = readFabricFile(file);
  if (!read.ok) throw new StartError(`${file} cannot be used:\n${formatFabricErrors(read)}`, null);
  if (declared.current().revision === 0) {
    const seeded = declared.replace(read.state, 0);
    if (!seeded.ok) throw new StartError(`${file} was refused by the registry (${seeded.reason})`, null);
    return false;
  }
  return !isDeepStrictEqual(serialiseDeclaredState(read.state), serialiseDeclaredState(declared.current()));
}
