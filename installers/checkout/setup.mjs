import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { bundlePrograms } from './bundle-programs.mjs';
import { compileSources } from './compile-sources.mjs';
import { installPackages } from './install-packages.mjs';
import { clearInstallStamp, computeInstallStamp, isInstalled, writeInstallStamp } from './install-stamp.mjs';
import { startProgress } from './progress.mjs';
import { takeSetupLock } from './setup-lock.mjs';

/**
 * Makes the checkout ready: packages as the lock file says (only when something that they depend on has
 * changed since), the sources compiled and the programs bundled. Safe to call from several commands at once.
 *
 * @param {string} root
 * @param {{ compile: boolean, types?: boolean }} wish `check` compiles by itself, to tell types apart from the rest;
 *   `build` alone checks types too
 * @throws {import('./setup-failure.mjs').SetupFailure}
 */
export async function setUp(root, { compile, types = false }) {
  const startedMs = performance.now();
  const progress = startProgress();
  const folder = join(root, '.data', 'checkout');
  try {
    const lock = await takeSetupLock(join(folder, 'setup.lock'), (reason) => progress.step(reason));
    try {
      const wanted = computeInstallStamp(root);
      const install = !isInstalled(root, wanted);
      if (install) {
        progress.say('Setting this checkout up: a first time takes about two minutes.');
        clearInstallStamp(root);
        await installPackages({ root, folder, progress, nameInstaller: lock.nameInstaller });
        writeInstallStamp(root, wanted);
      }
      if (compile) {
        if (install || process.stderr.isTTY) progress.step('compiling the sources');
        await compileSources(root, { types });
        await bundlePrograms(root);
      }
      if (install) progress.say(`Set up in ${Math.round((performance.now() - startedMs) / 1000)} s.`);
    } finally {
      lock.release();
    }
  } finally {
    progress.close();
  }
}
