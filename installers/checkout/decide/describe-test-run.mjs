/**
 * What a test run came to, in tests. A file that could not be loaded, a hook that failed and an error outside
 * any test each count as one failure.
 *
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {readonly { name: string, reason: string }[]} skipped
 */

/**
 * The end of `npm test`: the skipped tests by reason, what to do next, and the counts as the very last line.
 * A run that ended badly without a failed test (it crashed, or found nothing to run) counts one failure, so
 * that the line never tells of success when the exit code does not.
 *
 * @param {Tally | null} tally null: the run ended before it could count
 * @param {number} exitCode of the test runner
 * @param {boolean} requireReal
 * @returns {{ lines: string[], exitCode: number }}
 */
export function describeTestRun(tally, exitCode, requireReal) {
  const { passed, failed, skipped } = tally ?? { passed: 0, failed: 0, skipped: [] };
  const counted = failed === 0 && (exitCode !== 0 || tally === null) ? 1 : failed;
  return {
    lines: [
      ...describeSkips(skipped),
      nextStep(counted, skipped.length, requireReal),
      `${passed} passed, ${counted} failed, ${skipped.length} skipped`,
    ],
    exitCode: counted === 0 ? 0 : exitCode || 1,
  };
}

/** @param {Tally['skipped']} skipped */
function describeSkips(skipped) {
  /** @type {Map<string, string[]>} */
  const byReason = new Map();
  for (const { name, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return [...byReason].flatMap(([reason, names]) => [
    `Skipped, ${reason}:`,
    ...names.slice(0, 5).map((name) => `  - ${name}`),
    ...(names.length > 5 ? [`  - and ${names.length - 5} more`] : []),
  ]);
}

/**
 * @param {number} failed
 * @param {number} skipped
 * @param {boolean} requireReal
 */
function nextStep(failed, skipped, requireReal) {
  if (failed > 0)
    return 'Next: read the first failure above; npm test -- <part of a path> runs a few tests alone.';
  const real = skipped > 0 && !requireReal ? ' .ci/run installs the missing parts (Debian 12, as root).' : '';
  return `Next: npm run check, and npm run demo to see it work.${real}`;
}
