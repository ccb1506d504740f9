import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { readReleaseKey } from './release-key.mjs';

/**
 * @typedef {typeof import('../../shared/dist/index.js')} Shared
 * @typedef {object} ReleaseFacts
 * @property {Shared} shared the words that all programs of a release agree on, as they were compiled
 * @property {string} version
 * @property {string | null} commit
 * @property {import('./release-key.mjs').ReleaseKey | null} key
 * @property {string | null} keySha256
 * @property {string} build what is built into the programs
 */

/**
 * @param {string} root
 * @param {{ keyFile: string | null, version: string | null }} wish
 * @returns {Promise<ReleaseFacts>}
 * @throws {SetupFailure} where the key or the version is none
 */
export async function gatherFacts(root, wish) {
  /** @type {Shared} */
  const shared = await import(pathToFileURL(join(root, 'shared', 'dist', 'index.js')).href);
  const key = wish.keyFile === null ? null : readReleaseKey(wish.keyFile);
  const own = String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  const version = wish.version ?? own;
  if (!shared.releaseVersionSchema.safeParse(version).success) {
    throw new SetupFailure(`--release-version: '${version}' is no version such as 1.2.3 or 1.2.3-rc.1.`, 2);
  }
  const commit = await readCommit(root);
  const releaseKey = key?.publicPem ?? null;
  const told = { version: version === own ? null : version, commit, releaseKey, packaged: true };
  const keySha256 = releaseKey === null ? null : shared.releaseKeySha256(releaseKey);
  return { shared, version, commit, key, keySha256, build: JSON.stringify(told) };
}

/**
 * @param {string} root
 * @returns {Promise<string | null>} `null` where git or its folder is not there
 */
async function readCommit(root) {
  const ask = (/** @type {readonly string[]} */ ...args) =>
    captureProgram('git', args, root).catch(() => ({ exitCode: 127, output: '' }));
  const head = await ask('rev-parse', 'HEAD');
  const status = await ask('status', '--porcelain', '--untracked-files=no');
  if (head.exitCode !== 0 || status.exitCode !== 0) return null;
  return `${head.output.trim()}${status.output.trim() === '' ? '' : '-dirty'}`;
}
