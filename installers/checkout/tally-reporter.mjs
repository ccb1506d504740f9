import { writeFileSync } from 'node:fs';

/**
 * vitest's reporter interface asks for a default export. It counts for the last line of `npm test`, which
 * the command prints itself once the runner is gone: then nothing can come after it.
 */
export default class TallyReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const groups = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const states = tests.map((test) => test.result().state);
    const brokenGroups = groups.filter((group) => group.errors().length > 0).length;
    const tally = {
      passed: states.filter((state) => state === 'passed').length,
      failed: states.filter((state) => state === 'failed').length + brokenGroups + unhandledErrors.length,
      skipped: tests
        .filter((test) => ['skipped', 'pending'].includes(test.result().state))
        .map((test) => ({
          name: `${test.module.relativeModuleId} > ${test.fullName}`,
          reason: reasonOf(test),
        })),
    };
    const file = process.env['AI_FABRIC_TEST_TALLY'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(tally));
  }
}

/**
 * The reason that the test gave (`ctx.skip(reason)`), or that the group around it gave in its `skipReason`
 * meta (see `describeReal`).
 *
 * @param {import('vitest/node').TestCase} test
 * @returns {string}
 */
function reasonOf(test) {
  const result = test.result();
  if (result.state === 'skipped' && result.note) return result.note;
  /** @type {import('vitest/node').TestCase | import('vitest/node').TestSuite | import('vitest/node').TestModule} */
  let at = test;
  while (at.type !== 'module') {
    const meta = /** @type {{ skipReason?: string }} */ (at.meta());
    if (meta.skipReason !== undefined) return meta.skipReason;
    at = at.parent;
  }
  return result.state === 'pending' ? 'never run: the run was cut short or its group failed' : 'not selected';
}
