import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmCall } from '../checkout/package-manager.mjs';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { keepFolder } from './package-cache.mjs';

const PATIENCE = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=10000'];

/**
 * Gets a package from npm without installing it: fetched, compared with its pinned SHA-512, unpacked. Once; later it is
 * taken from the cache.
 *
 * @param {string} cache
 * @param {import('./pinned-packages.mjs').PinnedPackage} pinned
 * @returns {Promise<string>} the folder with what the package holds
 * @throws {SetupFailure} where it cannot be had, or is another than the pinned one
 */
export function fetchPackage(cache, { name, version, integrity }) {
  const wanted = createHash('sha256').update(integrity).digest('hex').slice(0, 12);
  return keepFolder(join(cache, 'packages', name), `${version}-${wanted}`, async (folder) => {
    const what = `${name}@${version}`;
    const pack = npmCall([
      'pack',
      what,
      '--silent',
      '--prefer-offline',
      '--pack-destination',
      folder,
      ...PATIENCE,
    ]);
    await runFor(`${what} could not be fetched`, pack, folder);
    const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    if (archive === undefined) throw new SetupFailure(`${what} could not be fetched: npm gave no archive.`);
    const path = join(folder, archive);
    refuseOther(what, readFileSync(path), integrity);
    await runFor(
      `${what} could not be unpacked`,
      { file: 'tar', args: ['-xzf', path, '-C', folder] },
      folder,
    );
    rmSync(path);
    const content = join(folder, 'package');
    for (const entry of readdirSync(content)) renameSync(join(content, entry), join(folder, entry));
    rmSync(content, { recursive: true });
  });
}

/**
 * @param {string} what
 * @param {Buffer} archive
 * @param {string} integrity
 */
export function refuseOther(what, archive, integrity) {
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  if (found === integrity) return;
  throw new SetupFailure(
    `${what} is not the pinned one, and is not used:\n  expected ${integrity}\n  found    ${found}`,
  );
}

/**
 * @param {string} fault
 * @param {{ file: string, args: readonly string[] }} call
 * @param {string} cwd
 */
async function runFor(fault, { file, args }, cwd) {
  const { exitCode, output } = await captureProgram(file, args, cwd).catch((error) => ({
    exitCode: 127,
    output: String(error),
  }));
  if (exitCode > 128) throw new SetupFailure('Interrupted. The next command goes on.', exitCode);
  if (exitCode !== 0) throw new SetupFailure(`${fault} (exit code ${exitCode}):\n${output.trim()}`);
}
