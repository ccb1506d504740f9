import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { SetupFailure } from './setup-failure.mjs';

/**
 * Becomes another of the checkout's programs: it runs in this process, so that signals, terminal and exit
 * code are its own with nobody in between.
 *
 * @param {string} program its file
 * @param {readonly string[]} args
 */
export async function handOver(program, args) {
  if (!existsSync(program)) throw new SetupFailure(`${program} is not there: this checkout is not whole.`);
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
}
