import { join } from 'node:path';
import { captureProgram } from './programs.mjs';
import { SetupFailure } from './setup-failure.mjs';

/**
 * TypeScript's build of every package. It compares with what is built already, so it costs about a second
 * where nothing changed.
 *
 * @param {string} root
 * @throws {SetupFailure} with the compiler's errors
 */
export async function compileSources(root) {
  const { exitCode, output } = await captureProgram(process.execPath, [compilerPath(root), '-b'], root);
  if (exitCode === 0) return;
  if (exitCode > 128) throw new SetupFailure('Interrupted while the sources compiled.', exitCode);
  throw new SetupFailure(`The sources do not compile (tsc -b, exit code ${exitCode}):\n${output.trim()}`);
}

/** @param {string} root */
export function compilerPath(root) {
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}
