import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { findMissingTools } from './build-tools.mjs';
import { explainInstallFailure } from './decide/explain-install-failure.mjs';
import { installNotStarted, nameInstallStep } from './decide/name-install-step.mjs';
import { readableLogLine } from './decide/readable-log-line.mjs';
import { spawnPackageManager } from './package-manager.mjs';
import { passSignalsOn } from './programs.mjs';
import { SetupFailure } from './setup-failure.mjs';

const rememberedLines = 400;
const shownLines = 15;

/**
 * @typedef {object} InstallContext
 * @property {string} root
 * @property {string} logFile gets everything that the package manager says
 * @property {import('./progress.mjs').Progress} progress
 * @property {(pid: number | null) => void} nameInstaller told the package manager's process while it runs
 */

/**
 * Installs what pnpm-lock.yaml says, no more and no less, and proves that the native part loads.
 *
 * @param {InstallContext} context
 * @throws {SetupFailure} with the cause, the fix, the log's last lines and where the log is
 */
export async function installPackages(context) {
  mkdirSync(dirname(context.logFile), { recursive: true });
  const log = openSync(context.logFile, 'w');
  try {
    // A folder that another pnpm made may have to be replaced whole; without a terminal it would ask and stop.
    await runPackageManager(context, log, [
      'install',
      '--frozen-lockfile',
      '--config.confirm-modules-purge=false',
    ]);
    if (nativePartFault(context.root) === null) return;
    // An install that was killed while it compiled, or one made by another Node, leaves the package without it.
    context.progress.step('compiling better-sqlite3 again: the one that is here does not load');
    await runPackageManager(context, log, ['--recursive', 'rebuild', 'better-sqlite3']);
    const fault = nativePartFault(context.root);
    if (fault === null) return;
    throw new SetupFailure(
      `better-sqlite3 was installed but does not load in Node ${process.version}:\n${fault}`,
    );
  } finally {
    closeSync(log);
  }
}

/**
 * @param {InstallContext} context
 * @param {number} log
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
async function runPackageManager(context, log, args) {
  const child = spawnPackageManager(context.root, [...args, '--reporter=ndjson']);
  const stopPassingOn = passSignalsOn(child);
  context.nameInstaller(child.pid ?? null);
  /** @type {string[]} */
  const lines = [];
  let progress = installNotStarted;
  context.progress.step(progress.step);
  /** @param {string} line */
  const read = (line) => {
    writeSync(log, `${line}\n`);
    lines.push(line);
    if (lines.length > rememberedLines) lines.shift();
    progress = nameInstallStep(progress, line);
    context.progress.step(progress.step);
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', read);
  const ending = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? null : `it ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  const interrupted = stopPassingOn();
  context.nameInstaller(null);
  if (interrupted) throw new SetupFailure('Interrupted. The next command goes on with the set-up.', 130);
  if (ending !== null) throw new SetupFailure(describeFailure(context, progress.step, ending, lines));
}

/**
 * @param {InstallContext} context
 * @param {string} step
 * @param {string} ending
 * @param {readonly string[]} lines
 */
function describeFailure(context, step, ending, lines) {
  const log = lines.join('\n');
  const missingTools = /gyp ERR!/.test(log) ? findMissingTools() : [];
  const readable = lines.map(readableLogLine).filter((line) => line !== null);
  return [
    `Installing the packages failed while ${step} (${ending}).`,
    ...readable.slice(-shownLines).map((line) => `  | ${line}`),
    `The whole log: ${context.logFile}`,
    '',
    explainInstallFailure({ log, missingTools, platform: process.platform }),
  ].join('\n');
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
