import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { installNotStarted, isInstallStuck, nameInstallStep } from './decide/name-install-step.mjs';
import { providePackageManager } from './package-manager.mjs';
import { runLogged } from './run-logged.mjs';
import { SetupFailure } from './setup-failure.mjs';

const installSettings = [
  // A folder that another pnpm made may have to be replaced whole; without a terminal it would ask and stop.
  '--config.confirm-modules-purge=false',
  // Half a minute of trying again, for a network that hiccups; its own pauses are 10 s and a minute.
  '--config.fetch-retries=4',
  '--config.fetch-retry-factor=2',
  '--config.fetch-retry-mintimeout=2000',
  '--config.fetch-retry-maxtimeout=10000',
];

/**
 * @typedef {object} InstallContext
 * @property {string} root
 * @property {string} folder of the checkout's own set-up files: the log, the package manager
 * @property {import('./progress.mjs').Progress} progress
 * @property {(pid: number | null) => void} nameInstaller told which process installs, while it does
 */

/**
 * Installs what pnpm-lock.yaml says, no more and no less, and proves that the native part loads.
 *
 * @param {InstallContext} context
 * @throws {SetupFailure} with the cause, the fix, the log's last lines and where the log is
 */
export async function installPackages({ root, folder, progress, nameInstaller }) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'install.log');
  const log = { fd: openSync(path, 'w'), path };
  let at = installNotStarted;
  progress.step(at.step);
  /** @param {string} line */
  const onLine = (line) => {
    at = nameInstallStep(at, line);
    progress.step(at.step);
  };
  /** @param {number} silentMs */
  const isStuck = (silentMs) => isInstallStuck(at, silentMs);
  const run = { log, onLine, isStuck, nameInstaller, step: () => at.step };
  try {
    const pnpm = await providePackageManager(folder, (call) => runLogged(run, call));
    /** @param {readonly string[]} args */
    const runPnpm = (args) => runLogged(run, { file: pnpm, args: [...args, '--reporter=ndjson'], cwd: root });
    await runPnpm(['install', '--frozen-lockfile', ...installSettings]);
    if (nativePartFault(root) === null) return;
    // An install that was killed while it compiled, or one made by another Node, leaves the package without it.
    progress.step('compiling better-sqlite3 again: the one that is here does not load');
    await runPnpm(['--recursive', 'rebuild', 'better-sqlite3']);
    const fault = nativePartFault(root);
    if (fault === null) return;
    throw new SetupFailure(
      `better-sqlite3 was installed but does not load in Node ${process.version}:\n${fault}`,
    );
  } finally {
    closeSync(log.fd);
  }
}

/**
 * @param {string} root
 * @returns {string | null} why better-sqlite3 does not load, asked of a Node of its own so that a bad part cannot end us
 */
function nativePartFault(root) {
  const probe = "new (require('better-sqlite3'))(':memory:').close()";
  const asked = spawnSync(process.execPath, ['-e', probe], {
    cwd: join(root, 'control-plane'),
    encoding: 'utf8',
  });
  if (asked.status === 0) return null;
  return (
    asked.stderr.trim() || asked.error?.message || `the probe ended with ${asked.signal ?? asked.status}`
  );
}
