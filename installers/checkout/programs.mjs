import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program with our own input and output, and passes on the signals that reach us.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} its exit code; 128 and the signal's number where a signal ended it
 */
export function runProgram(file, args, options) {
  return endOf(spawn(file, args, { ...options, stdio: 'inherit' }));
}

/**
 * Runs a program and keeps what it says (for output of a compiler's size).
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} [env] all of its environment; by default ours
 * @returns {Promise<{ exitCode: number, output: string }>}
 */
export async function captureProgram(file, args, cwd, env = process.env) {
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output += text;
    });
  }
  const exitCode = await endOf(child);
  return { exitCode, output };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>}
 */
function endOf(child) {
  return new Promise((resolve, reject) => {
    const stopPassingOn = passSignalsOn(child);
    child.once('error', (error) => {
      stopPassingOn();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopPassingOn();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * Ctrl-C reaches the child by itself, because a terminal signals everybody in the foreground: passed on, the
 * child would take it for the second, impatient one. What arrives without a terminal was sent to us alone.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => boolean} ends it, and tells whether a signal came
 */
export function passSignalsOn(child) {
  let came = false;
  const interrupt = () => {
    came = true;
    if (!process.stdin.isTTY) child.kill('SIGINT');
  };
  const terminate = () => {
    came = true;
    child.kill('SIGTERM');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  return () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', terminate);
    return came;
  };
}
