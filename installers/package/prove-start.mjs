import { performance } from 'node:perf_hooks';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';

const TRIES = 3;

/**
 * Starts what was packaged, which has to tell the version that it was packaged as.
 *
 * @param {string} program
 * @param {readonly string[]} args ahead of the verb
 * @param {string} version
 * @returns {Promise<number>} the shortest time that it took, in milliseconds
 * @throws {SetupFailure} with its words
 */
export async function proveStart(program, args, version) {
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const startedMs = performance.now();
    const { exitCode, output } = await captureProgram(program, [...args, 'version', '--json'], '/');
    shortestMs = Math.min(shortestMs, performance.now() - startedMs);
    if (exitCode > 128) throw new SetupFailure('Interrupted. The next command goes on.', exitCode);
    if (exitCode !== 0 || toldVersion(output) !== version) {
      throw new SetupFailure(
        `What was packaged does not start (${program}, exit code ${exitCode}):\n${output}`,
      );
    }
  }
  return Math.round(shortestMs);
}

/** @param {string} output */
function toldVersion(output) {
  try {
    return JSON.parse(output).version;
  } catch {
    return null;
  }
}
