import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { stripSignature } from './decide/strip-signature.mjs';

/** Where Node looks for a program within itself, and the mark that tells it to look (Node's "Single executable applications"). */
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Makes of a program's text what is put into Node: the same for every system, since no compiled code is in it.
 *
 * @param {string} node the Linux one, of the version that it is put into
 * @param {string} script CommonJS
 * @param {string} licences of all that is in the executable; it prints them when asked
 * @param {string} folder for what is made meanwhile
 * @returns {Promise<Buffer>}
 * @throws {SetupFailure}
 */
export async function makeBlob(node, script, licences, folder) {
  const blob = join(folder, 'program.blob');
  const config = join(folder, 'sea.json');
  const text = join(folder, 'licences.txt');
  writeFileSync(text, licences);
  const wish = {
    main: script,
    output: blob,
    assets: { licences: text },
    disableExperimentalSEAWarning: true,
  };
  writeFileSync(config, JSON.stringify({ ...wish, useSnapshot: false, useCodeCache: false }));
  const { exitCode, output } = await captureProgram(node, ['--experimental-sea-config', config], folder);
  if (exitCode !== 0)
    throw new SetupFailure(`Node could not take the program (exit code ${exitCode}):\n${output}`);
  const content = readFileSync(blob);
  for (const file of [blob, config, text]) rmSync(file);
  return content;
}

/**
 * @param {string} root of the checkout
 * @param {string} node the program of the system that the executable is for
 * @param {Buffer} blob
 * @param {string} file the executable, made anew
 * @throws {SetupFailure}
 */
export async function makeSingleExecutable(root, node, blob, file) {
  const program = readFileSync(node);
  writeFileSync(file, node.endsWith('.exe') ? stripSignature(program) : program, { mode: 0o755 });
  const resource = `${file}.blob`;
  writeFileSync(resource, blob);
  // As a process of its own: it says much that is odd to it and none of our business, and stands still for seconds.
  const tool = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
  const call = [tool, file, RESOURCE, resource, '--sentinel-fuse', FUSE];
  const { exitCode, output } = await captureProgram(process.execPath, call, root);
  if (exitCode > 128) throw new SetupFailure('Interrupted. The next command goes on.', exitCode);
  if (exitCode !== 0) throw new SetupFailure(`The program could not be put into Node:\n${output}`);
  rmSync(resource);
}
