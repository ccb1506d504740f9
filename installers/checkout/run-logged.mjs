import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { findMissingTools } from './build-tools.mjs';
import { explainInstallFailure } from './decide/explain-install-failure.mjs';
import { readableLogLine } from './decide/readable-log-line.mjs';
import { nodeHeadersEnvironment } from './node-headers.mjs';
import { passSignalsOn } from './programs.mjs';
import { SetupFailure } from './setup-failure.mjs';

const rememberedLines = 400;
const shownLines = 12;

/**
 * @typedef {object} LoggedRun
 * @property {{ fd: number, path: string }} log gets everything that the program says
 * @property {(line: string) => void} onLine
 * @property {(pid: number | null) => void} nameInstaller told the program's process while it runs
 * @property {(silentMs: number) => boolean} isStuck asked again and again with how long it has said nothing
 * @property {() => string} step what is going on, for the message of a failure
 */

/**
 * Runs one program of an install. Its output goes to the log, line by line.
 *
 * @param {LoggedRun} run
 * @param {{ file: string, args: readonly string[], cwd: string, shell?: boolean }} call
 * @throws {SetupFailure} with the cause, the fix, the log's last lines and where the log is
 */
export async function runLogged(run, { file, args, cwd, shell = false }) {
  const env = { ...process.env, ...nodeHeadersEnvironment() };
  const child = spawn(file, args, { cwd, shell, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stopPassingOn = passSignalsOn(child);
  run.nameInstaller(child.pid ?? null);
  /** @type {string[]} */
  const lines = [];
  let heardMs = performance.now();
  let stuck = false;
  const watching = setInterval(() => {
    stuck ||= run.isStuck(performance.now() - heardMs);
    if (stuck) child.kill('SIGKILL');
  }, 1000);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      writeSync(run.log.fd, `${line}\n`);
      lines.push(line);
      if (lines.length > rememberedLines) lines.shift();
      heardMs = performance.now();
      run.onLine(line);
    });
  }
  const ending = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? null : `it ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  clearInterval(watching);
  run.nameInstaller(null);
  if (stopPassingOn()) throw new SetupFailure('Interrupted. The next command goes on with the set-up.', 130);
  if (stuck) throw new SetupFailure(describeFailure(run, 'it hung and was ended', lines));
  if (ending !== null) throw new SetupFailure(describeFailure(run, ending, lines));
}

/**
 * @param {LoggedRun} run
 * @param {string} ending
 * @param {readonly string[]} lines
 */
function describeFailure(run, ending, lines) {
  const log = lines.join('\n');
  const missingTools = /gyp ERR!/.test(log) ? findMissingTools() : [];
  const readable = lines.map(readableLogLine).filter((line) => line !== null);
  return [
    `Installing the packages failed while ${run.step()} (${ending}).`,
    ...readable.slice(-shownLines).map((line) => `  | ${line}`),
    `The whole log: ${run.log.path}`,
    '',
    explainInstallFailure({ log, missingTools, platform: process.platform }),
  ].join('\n');
}
