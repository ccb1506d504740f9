import { join } from 'node:path';
import { captureProgram } from './programs.mjs';
import { SetupFailure } from './setup-failure.mjs';

/**
 * TypeScript's build of every package. It compares with what is built already, so it costs about a second
 * where nothing changed. Checking types takes most of a first build; a later one that is to check them still does.
 *
 * @param {string} root
 * @param {{ types: boolean }} wish whether a wrong type is an error; wrong syntax always is
 * @throws {SetupFailure} with the compiler's errors
 */
export async function compileSources(root, { types }) {
  const call = [compilerPath(root), '-b', ...(types ? [] : ['--noCheck'])];
  const { exitCode, output } = await captureProgram(process.execPath, call, root);
  if (exitCode === 0) return;
  if (exitCode > 128) throw new SetupFailure('Interrupted while the sources compiled.', exitCode);
  throw new SetupFailure(`The sources do not compile (tsc -b, exit code ${exitCode}):\n${output.trim()}`);
}

/** @param {string} root */
export function compilerPath(root) {
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}
