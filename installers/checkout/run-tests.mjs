import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeTestRun } from './decide/describe-test-run.mjs';
import { runProgram } from './programs.mjs';
import { setUp } from './setup.mjs';
import { SetupFailure } from './setup-failure.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * `npm test`: sets up, runs vitest with the arguments that were given, and ends, whatever happened, with the
 * line `N passed, N failed, N skipped`. `--require-real` makes the absence of a real part a failure. What takes long is
 * left to `--thorough`, to `--require-real` and to who names the tests that he wants.
 *
 * @param {string} root
 * @param {readonly string[]} args
 */
export async function runTests(root, args) {
  const requireReal = args.includes('--require-real');
  try {
    await setUp(root, { compile: true });
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`\n${error.message}\n\n`);
    finish(null, error.exitCode, requireReal);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'ai-fabric-test-'));
  const tallyFile = join(folder, 'tally.json');
  try {
    const exitCode = await runProgram(process.execPath, vitestCall(root, args), {
      cwd: root,
      env: {
        ...process.env,
        AI_FABRIC_TEST_TALLY: tallyFile,
        ...(requireReal ? { AI_FABRIC_REQUIRE_REAL: '1' } : {}),
        ...(isQuick(args) ? { AI_FABRIC_QUICK_TESTS: '1' } : {}),
      },
    });
    finish(readTally(tallyFile), exitCode, requireReal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const OWN_FLAGS = new Set(['--require-real', '--thorough']);

/**
 * @param {readonly string[]} args
 */
function isQuick(args) {
  return !args.some((arg) => OWN_FLAGS.has(arg) || arg.startsWith('--project') || !arg.startsWith('-'));
}

/**
 * @param {string} root
 * @param {readonly string[]} args
 */
function vitestCall(root, args) {
  const own = args.filter((arg) => !OWN_FLAGS.has(arg));
  const reporters = own.some((arg) => arg.startsWith('--reporter')) ? [] : ['--reporter=default'];
  return [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...reporters,
    ...(process.stdout.isTTY ? [] : ['--no-color']),
    `--reporter=${join(here, 'tally-reporter.mjs')}`,
    ...own,
  ];
}

/**
 * @param {import('./decide/describe-test-run.mjs').Tally | null} tally
 * @param {number} exitCode
 * @param {boolean} requireReal
 */
function finish(tally, exitCode, requireReal) {
  const run = describeTestRun(tally, exitCode, requireReal);
  process.stdout.write(`\n${run.lines.join('\n')}\n`);
  process.exitCode = run.exitCode;
}

/**
 * @param {string} file
 * @returns {import('./decide/describe-test-run.mjs').Tally | null} null: the run ended before it could count
 */
function readTally(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
